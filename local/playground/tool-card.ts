import { element } from './dom.ts';

type State = 'calling' | 'running' | 'done' | 'failed' | 'stopped';

const LABELS: Record<State, string> = {
  calling: 'is being called',
  running: 'is running',
  done: 'done',
  failed: 'failed',
  stopped: 'no result',
};

/** One call of a tool: its input fills in as it comes, and its output when it is there. */
export class ToolCard {
  readonly element: HTMLDetailsElement;
  readonly name: string;
  readonly #label = element('span', 'tool-state');
  readonly #input = element('code', '');
  readonly #output = element('code', '');
  readonly #inputRow: HTMLElement;
  readonly #outputRow: HTMLElement;
  #state: State = 'calling';
  #json = '';

  constructor(name: string) {
    this.name = name;
    this.#inputRow = row('Input', this.#input);
    this.#outputRow = row('Output', this.#output);
    const summary = element('summary', '', element('code', '', name), ' ', this.#label);
    this.element = element('details', 'tool', summary, this.#inputRow, this.#outputRow);
    this.element.open = true;
    this.#enter('calling');
  }

  get isRunning(): boolean {
    return this.#state === 'calling' || this.#state === 'running';
  }

  /** The next piece of the input's JSON. */
  addInput(delta: string): void {
    this.#json += delta;
    this.#inputRow.hidden = false;
    this.#input.textContent = this.#json;
  }

  /** The input is whole. */
  run(): void {
    this.#input.textContent = pretty(this.#json);
    if (this.#state === 'calling') this.#enter('running');
  }

  finish(output: unknown, isError: boolean): void {
    this.#output.textContent =
      typeof output === 'string' ? pretty(output) : JSON.stringify(output, undefined, 2);
    this.#outputRow.hidden = false;
    this.#enter(isError ? 'failed' : 'done');
  }

  /** The answer is over: what has no result gets none here. */
  stop(): void {
    if (this.isRunning) this.#enter('stopped');
  }

  #enter(state: State): void {
    this.#state = state;
    this.element.dataset.state = state;
    this.#label.textContent = LABELS[state];
  }
}

/** A labelled box that can be scrolled; hidden until there is something in it. */
function row(label: string, content: HTMLElement): HTMLElement {
  const box = element('pre', '', content);
  box.tabIndex = 0;
  const labelled = element('div', 'tool-row', element('h3', '', label), box);
  labelled.hidden = true;
  return labelled;
}

/** JSON with its indents, or the text as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
