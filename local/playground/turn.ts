import type { AgentError, AgentEvent } from '../../client/stream-agent.ts';
import { ArrivalsChart } from './arrivals.ts';
import { button, element, formatBytes, formatMs } from './dom.ts';
import { explain } from './explain.ts';
import { MarkdownView } from './markdown.ts';
import { Wiretap } from './wiretap.ts';

/** `interrupted`: failed with some text; `stopped`: by the person. */
export type TurnState =
  | 'connecting'
  | 'thinking'
  | 'streaming'
  | 'complete'
  | 'interrupted'
  | 'failed'
  | 'stopped';

export interface TurnOptions {
  agentName: string;
  prompt: string;
  /** Called after everything that makes the turn taller. */
  onGrow: () => void;
  /** Called with each new state, in words. */
  onState: (words: string) => void;
  onRetry: () => void;
  onAskBack: () => void;
}

/** A silence in the stream that is worth a word. */
const QUIET_MS = 3_000;
/** A wait for the first answer that is worth an explanation. */
const SLOW_START_MS = 4_000;

const utf8 = new TextEncoder();

/** One prompt and its answer in the transcript. */
export class Turn {
  readonly element: HTMLElement;
  readonly wiretap = new Wiretap();
  readonly #options: TurnOptions;
  readonly #status = element('span', 'status');
  readonly #facts = element('span', 'facts');
  readonly #answer = element('div', 'answer');
  readonly #markdown: MarkdownView;
  readonly #chart = new ArrivalsChart();
  readonly #startedAt = performance.now();
  #state: TurnState = 'connecting';
  #firstTextMs: number | undefined;
  #endedMs: number | undefined;
  #lastTextMs = 0;
  #chunks = 0;
  #bytes = 0;
  #frame = 0;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.#markdown = new MarkdownView(this.#answer, options.onGrow);
    this.element = element(
      'article',
      'turn',
      element('p', 'prompt', options.prompt),
      element('h2', 'speaker', options.agentName),
      this.#answer,
      element('div', 'meta', this.#status, this.#facts, this.#chart.element),
      this.wiretap.element,
    );
    this.#enter('connecting');
    this.#tick();
  }

  /** Shows one event of the answer; resolves with the last one when all of the answer is shown. */
  async take(event: AgentEvent): Promise<void> {
    if (event.type === 'start') this.#enter('thinking');
    if (event.type === 'done') await this.#end('complete');
    if (event.type !== 'chunk') return;
    this.#lastTextMs = this.#elapsedMs;
    this.#firstTextMs ??= this.#lastTextMs;
    this.#chunks += 1;
    const { length: bytes } = utf8.encode(event.text);
    this.#bytes += bytes;
    this.#chart.add(this.#lastTextMs, bytes);
    this.#markdown.append(isStructured(event.text) ? `\`${event.text}\`` : event.text);
    if (this.#state !== 'streaming') this.#enter('streaming');
  }

  /** The person pressed Stop. */
  async stop(): Promise<void> {
    const note = 'You stopped this answer. The agent may go on working; it is not told.';
    this.#answer.after(element('p', 'note', note));
    await this.#end('stopped');
  }

  async fail(error: AgentError): Promise<void> {
    this.#answer.after(this.#problem(error));
    await this.#end(this.#chunks > 0 ? 'interrupted' : 'failed');
  }

  get #elapsedMs(): number {
    return this.#endedMs ?? performance.now() - this.#startedAt;
  }

  #enter(state: TurnState): void {
    this.#state = state;
    this.element.dataset.state = state;
    this.element.setAttribute('aria-busy', String(isLive(state)));
    this.#options.onState(`${this.#options.agentName}: ${LABELS[state]}`);
    this.#describe();
  }

  async #end(state: TurnState): Promise<void> {
    cancelAnimationFrame(this.#frame);
    this.#endedMs = this.#elapsedMs;
    await this.#markdown.finish();
    this.#enter(state);
    const { textContent: facts } = this.#facts;
    this.#chart.finish(this.#endedMs, `When text arrived: ${facts || 'none did'}`);
    if (this.#chunks === 0) this.#chart.element.remove();
    this.#options.onGrow();
  }

  #tick(): void {
    this.#frame = requestAnimationFrame(() => {
      this.#describe();
      this.#chart.draw(this.#elapsedMs);
      this.#tick();
    });
  }

  #describe(): void {
    setText(this.#status, isLive(this.#state) ? this.#waiting() : LABELS[this.#state]);
    const firstText = this.#firstTextMs;
    if (firstText === undefined) return;
    const facts = [
      `first text after ${formatMs(firstText)}`,
      `${this.#chunks} chunk${this.#chunks === 1 ? '' : 's'}`,
      formatBytes(this.#bytes),
      formatMs(this.#elapsedMs),
    ];
    setText(this.#facts, facts.join(' · '));
  }

  /** What is known, and for how long nothing else has been. */
  #waiting(): string {
    const elapsedMs = this.#elapsedMs;
    if (this.#state === 'streaming') {
      const quietMs = elapsedMs - this.#lastTextMs;
      return quietMs < QUIET_MS ? 'Streaming' : `Streaming, quiet for ${formatMs(quietMs)}`;
    }
    const label = `${LABELS[this.#state]} ${formatMs(elapsedMs)}`;
    const isSlow = this.#state === 'connecting' && elapsedMs > SLOW_START_MS;
    return isSlow ? `${label} (a session's first turn may start a machine)` : label;
  }

  #problem(error: AgentError): HTMLElement {
    const { title, advice, again, said } = explain(error);
    const { agentError, hint, upstreamRequestId } = error.details;
    const { onRetry, onAskBack } = this.#options;
    const ids = [
      error.requestId && `request ${error.requestId}`,
      upstreamRequestId && `AgentCore request ${upstreamRequestId}`,
    ];
    return element(
      'section',
      'problem',
      element('h3', '', title, ' ', element('code', 'problem-code', error.code)),
      element('p', '', `${advice} ${again}`),
      said !== undefined && element('p', 'said', said),
      agentError && element('blockquote', '', agentError.message),
      hint !== undefined && element('p', 'said', hint),
      element('p', 'ids', ids.filter(Boolean).join(' · ')),
      error.retryable && button('Try again', 'action', onRetry),
      error.promptSent && button('Ask what it did', 'action', onAskBack),
    );
  }
}

const LABELS: Record<TurnState, string> = {
  connecting: 'Connecting',
  thinking: 'Thinking',
  streaming: 'Streaming',
  complete: 'Complete',
  interrupted: 'Interrupted',
  failed: 'Failed',
  stopped: 'Stopped',
};

function isLive(state: TurnState): boolean {
  return state === 'connecting' || state === 'thinking' || state === 'streaming';
}

/** A structured event of the agent, which passes as the JSON that it is: to be seen as such, not read as text. */
function isStructured(text: string): boolean {
  if (!/^\{[^`\n]*\}$/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
