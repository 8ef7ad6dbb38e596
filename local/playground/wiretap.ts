import { element, formatBytes, formatExactMs } from './dom.ts';

/** Characters kept for looking at; what comes after is only counted. */
const KEPT = 1_000_000;
/** Of what is folded; a prompt may be long. */
const FOLDED = 10_000;

const utf8 = new TextEncoder();

/** Keeps what was sent, and what came over the network, read by read; shows it on demand. */
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
      this.#list.scrollIntoView({ block: 'nearest' });
    });
  }

  /** A fetch whose answers pass by here on their way. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const sent = String(init.body ?? '');
    this.#fold(`${init.method} ${new URL(url).pathname}, ${formatBytes(utf8.encode(sent).length)}`, sent);
    const response = await fetch(url, init);
    const { status, statusText, headers, body } = response;
    const lines = [...headers].map(([name, value]) => `${name}: ${value}`);
    this.#fold(`${`HTTP ${status} ${statusText}`.trim()}, ${lines.length} headers`, lines.join('\n'));
    if (!body) return response;
    const decoder = new TextDecoder();
    const tap = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (bytes, controller) => {
        this.#record(decoder.decode(bytes, { stream: true }));
        controller.enqueue(bytes);
      },
    });
    return new Response(body.pipeThrough(tap), { status, statusText, headers });
  };

  /** What was sent, and the headers: what a person looks for is behind them. */
  #fold(summary: string, text: string): void {
    const code = element('code', 'read', text.slice(0, FOLDED));
    this.#push(element('details', 'head', element('summary', '', summary), code));
  }

  #record(text: string): void {
    if (this.#kept + text.length <= KEPT) {
      this.#kept += text.length;
      this.#push(element('code', 'read', text.trimEnd()));
      return;
    }
    if (this.#dropped === 0) this.#waiting.push(this.#more);
    this.#dropped += text.length;
    this.#more.textContent = `${formatBytes(this.#dropped)} more, not kept`;
    if (this.element.open) this.#show();
  }

  #push(shown: HTMLElement): void {
    const at = formatExactMs(performance.now() - this.#startedAt);
    this.#waiting.push(element('li', '', element('time', '', at), shown));
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
