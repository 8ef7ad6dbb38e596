import type { AgentError, AgentEvent } from '../../client/stream-agent.ts';
import { ArrivalsChart } from './arrivals.ts';
import { element, formatBytes, formatMs } from './dom.ts';
import { Parts } from './parts.ts';
import { actions, askBackButton, type ProblemActions, problem } from './problem.ts';
import type { OnReply } from './question.ts';
import { Wiretap } from './wiretap.ts';

/**
 * `waiting`: the request is sent, more is not known; `thinking`: the service has begun to answer, without text;
 * `asking`: the agent waits for a reply; `interrupted`: failed with some text; `stopped`: by the person.
 */
export type TurnState =
  | 'waiting'
  | 'thinking'
  | 'streaming'
  | 'complete'
  | 'asking'
  | 'interrupted'
  | 'failed'
  | 'stopped';

export interface TurnOptions extends ProblemActions {
  agentName: string;
  prompt: string;
  /** The first of its session, for which AgentCore may have to start a machine. */
  isFirst: boolean;
  /** How long the start of its session took, while the prompt was written. */
  startMs?: number | undefined;
  /** Sends the reply to a question of the agent. */
  onReply: OnReply;
  /** Called after everything that makes the turn taller. */
  onGrow: () => void;
  /** Called with each new state, in words. */
  onState: (words: string) => void;
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
  readonly #meta = element('div', 'meta', this.#status, this.#facts);
  readonly #parts: Parts;
  readonly #chart = new ArrivalsChart();
  readonly #startedAt = performance.now();
  #state: TurnState = 'waiting';
  #firstTextMs: number | undefined;
  #endedMs: number | undefined;
  #lastTextMs = 0;
  #chunks = 0;
  #bytes = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #frame = 0;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.#parts = new Parts(options.onGrow, options.onReply);
    this.element = element(
      'article',
      'turn',
      element('p', 'prompt', options.prompt),
      element('h2', 'speaker', options.agentName),
      this.#parts.element,
      this.#meta,
      this.wiretap.element,
    );
    this.#enter('waiting');
    this.#tick();
  }

  /** Shows one event of the answer; resolves with the last one when all of the answer is shown. */
  async take(event: AgentEvent): Promise<void> {
    if (event.type === 'start') this.#enter('thinking');
    if (event.type === 'done') {
      if (event.stopped) return this.stop('You stopped this answer, and the agent was told.');
      await this.#end(event.interrupted ? 'asking' : 'complete');
    }
    this.#parts.take(event);
    if (event.type === 'usage') {
      this.#inputTokens += event.inputTokens ?? 0;
      this.#outputTokens += event.outputTokens ?? 0;
    }
    if (event.type !== 'chunk') return;
    this.#lastTextMs = this.#elapsedMs;
    if (this.#firstTextMs === undefined) {
      this.#firstTextMs = this.#lastTextMs;
      this.#meta.append(this.#chart.element);
    }
    this.#chunks += 1;
    const { length: bytes } = utf8.encode(event.text);
    this.#bytes += bytes;
    this.#chart.add(this.#lastTextMs, bytes);
    if (this.#state !== 'streaming') this.#enter('streaming');
  }

  /** The person pressed Stop. */
  async stop(note = 'You stopped this answer. The agent may go on working; it is not told.'): Promise<void> {
    this.#parts.element.after(element('p', 'note', note), actions(askBackButton(this.#options.onAskBack)));
    await this.#end('stopped');
  }

  async fail(error: AgentError): Promise<void> {
    this.#parts.element.after(problem(error, this.#options));
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
    await this.#parts.finish();
    this.#enter(state);
    const { textContent: facts } = this.#facts;
    this.#chart.finish(this.#endedMs, `When text arrived: ${facts || 'none did'}`);
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
    const [read, written] = [this.#inputTokens, this.#outputTokens];
    const facts = [
      ...(firstText === undefined
        ? []
        : [
            `first text after ${formatMs(firstText)}`,
            `${this.#chunks} chunk${this.#chunks === 1 ? '' : 's'}`,
            formatBytes(this.#bytes),
            formatMs(this.#elapsedMs),
          ]),
      ...(this.#options.startMs === undefined
        ? []
        : [`session started in ${formatMs(this.#options.startMs)} while you typed`]),
      ...(read + written > 0 ? [`${read} tokens in, ${written} out`] : []),
    ];
    setText(this.#facts, facts.join(' · '));
  }

  /** What is known, and for how long nothing else has been. */
  #waiting(): string {
    const elapsedMs = this.#elapsedMs;
    const tool = this.#parts.runningTool;
    if (tool !== undefined) return `Calling ${tool}, ${formatMs(elapsedMs)}`;
    if (this.#state === 'streaming') {
      const quietMs = elapsedMs - this.#lastTextMs;
      return quietMs < QUIET_MS ? 'Streaming' : `Streaming, quiet for ${formatMs(quietMs)}`;
    }
    const waited = formatMs(elapsedMs);
    if (this.#state === 'thinking') return `Thinking, no text for ${waited}`;
    const words = `${LABELS.waiting}, ${waited}`;
    const isSlow = this.#options.isFirst && elapsedMs > SLOW_START_MS;
    return isSlow ? `${words}; a session's first turn may start a machine` : words;
  }
}

const LABELS: Record<TurnState, string> = {
  waiting: 'Waiting for the agent',
  thinking: 'Thinking',
  streaming: 'Streaming',
  complete: 'Complete',
  asking: 'Waiting for your reply',
  interrupted: 'Interrupted',
  failed: 'Failed',
  stopped: 'Stopped',
};

function isLive(state: TurnState): boolean {
  return state === 'waiting' || state === 'thinking' || state === 'streaming';
}

function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
