import { element, formatBytes, formatMs } from './dom.ts';

/** Characters kept for looking at; what comes after is only counted. */
const KEPT = 1_000_000;

/** Keeps what came over the network, read by read, and shows it on demand. */
export class Wiretap {
  readonly element: HTMLDetailsElement;
  readonly #list = element('ol', 'reads');
  readonly #startedAt = performance.now();
  #kept = 0;
  #dropped = 0;
  readonly #more = element('li', 'note');
  #waiting: HTMLElement[] = [];

  constructor() {
    this.#list.tabIndex = 0;
    this.#list.setAttribute('aria-label', 'Raw events, one entry for each network read');
    const summary = element('summary', '', 'Raw events');
    this.element = element('details', 'wiretap', summary, this.#list);
    // Before it opens, so that there is something to see when it does.
    summary.addEventListener('click', () => this.#show());
    this.element.addEventListener('toggle', () => {
      if (!this.element.open) return;
      this.#show();
      this.element.scrollIntoView({ block: 'nearest' });
    });
  }

  /** A fetch whose answers pass by here on their way. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    const { status, statusText, headers, body } = response;
    const lines = [...headers].map(([name, value]) => `${name}: ${value}`);
    this.#record([`HTTP ${status} ${statusText}`.trim(), ...lines].join('\n'), 'head');
    if (!body) return response;
    const decoder = new TextDecoder();
    const tap = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (bytes, controller) => {
        this.#record(decoder.decode(bytes, { stream: true }), '');
        controller.enqueue(bytes);
      },
    });
    return new Response(body.pipeThrough(tap), { status, statusText, headers });
  };

  #record(text: string, className: string): void {
    if (this.#kept + text.length > KEPT) {
      if (this.#dropped === 0) this.#waiting.push(this.#more);
      this.#dropped += text.length;
      this.#more.textContent = `${formatBytes(this.#dropped)} more, not kept`;
    } else {
      this.#kept += text.length;
      const at = formatMs(performance.now() - this.#startedAt);
      this.#waiting.push(
        element('li', className, element('time', '', at), element('code', 'read', text.trimEnd())),
      );
    }
    if (this.element.open) this.#show();
  }

  #show(): void {
    const atEnd =
      this.#list.childElementCount > 0 &&
      this.#list.scrollTop + this.#list.clientHeight > this.#list.scrollHeight - 40;
    this.#list.append(...this.#waiting);
    this.#waiting = [];
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}
