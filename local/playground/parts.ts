import type { AgentEvent } from '../../client/stream-agent.ts';
import { element } from './dom.ts';
import { MarkdownView } from './markdown.ts';
import { type OnReply, question } from './question.ts';
import { markEvent, openEventsIn } from './structured.ts';
import { ToolCard } from './tool-card.ts';

/** Names of the tools that were called, by the id of the call. */
const toolNames = new Map<string, string>();

/** What an answer consists of, in the order in which it came: text, thoughts, calls of tools, questions. */
export class Parts {
  readonly element = element('div', 'answer');
  readonly #onGrow: () => void;
  readonly #onReply: OnReply;
  readonly #tools = new Map<string, ToolCard>();
  readonly #finishing: Promise<void>[] = [];
  #text: MarkdownView | undefined;
  #thought: HTMLElement | undefined;

  constructor(onGrow: () => void, onReply: OnReply) {
    this.#onGrow = onGrow;
    this.#onReply = onReply;
    openEventsIn(this.element);
  }

  /** Name of a tool that is at work. */
  get runningTool(): string | undefined {
    return [...this.#tools.values()].find(({ isRunning }) => isRunning)?.name;
  }

  take(event: AgentEvent): void {
    switch (event.type) {
      case 'chunk':
        this.#textView().append(markEvent(event.text));
        return;
      case 'data':
        this.#textView().append(
          markEvent(JSON.stringify({ type: event.name ?? 'data', ...Object(event.value) })),
        );
        return;
      case 'reasoning':
        this.#thoughtOf().append(event.text);
        break;
      case 'toolCall': {
        const card = new ToolCard(event.name);
        this.#tools.set(event.id, card);
        toolNames.set(event.id, event.name);
        this.#add(card.element);
        break;
      }
      case 'toolInput':
        this.#tools.get(event.id)?.addInput(event.delta);
        break;
      case 'toolCallEnd':
        this.#tools.get(event.id)?.run();
        break;
      case 'toolResult': {
        let card = this.#tools.get(event.id);
        if (!card) {
          // A call that an earlier answer began, as after a question.
          card = new ToolCard(toolNames.get(event.id) ?? 'Tool');
          this.#add(card.element);
        }
        card.finish(event.output, event.isError);
        break;
      }
      case 'interrupt':
        this.#add(question(event, this.#onReply));
        break;
    }
    this.#onGrow();
  }

  /** The answer has ended. Resolves when all of it is shown. */
  async finish(): Promise<void> {
    this.#endText();
    await Promise.all(this.#finishing);
    for (const card of this.#tools.values()) card.stop();
  }

  #textView(): MarkdownView {
    if (this.#text) return this.#text;
    const section = element('div', 'text');
    this.#add(section);
    this.#text = new MarkdownView(section, this.#onGrow);
    return this.#text;
  }

  #thoughtOf(): HTMLElement {
    if (this.#thought) return this.#thought;
    const thought = element('p', '');
    this.#add(element('details', 'thought', element('summary', '', 'Reasoning'), thought));
    this.#thought = thought;
    return thought;
  }

  /** Adds a part, which ends the one before it. */
  #add(part: HTMLElement): void {
    this.#endText();
    this.#thought = undefined;
    this.element.append(part);
  }

  #endText(): void {
    if (this.#text) this.#finishing.push(this.#text.finish());
    this.#text = undefined;
  }
}
