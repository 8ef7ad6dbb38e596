import type { AnswerEnd, Exchange, Invocation, Message } from '../agentcore/exchange.ts';
import { type AnswerEvent, type ContentEvent, type EndEvent, isEnd } from '../events.ts';
import { createDecoder, type Decoder } from './decoder.ts';

export interface ReadingOptions {
  exchange: Exchange;
  invocation: Pick<Invocation, 'agent' | 'record'>;
  maxMessageBytes: number;
  /** Called for each event that belongs to the answer itself. */
  onAnswer: () => void;
}

/** Reads the messages of one exchange: makes events of them, keeps the end apart and records what came. */
export class Reading {
  /** How many messages were read. */
  taken = 0;
  /** The end of the answer, once it has come. */
  ending: EndEvent | undefined;
  /** Whether any event other than the end has come. */
  hadEvents = false;
  /** Documents that became no event. */
  readonly leftOut = { count: 0, characters: 0 };
  readonly #options: ReadingOptions;
  #decoder: Decoder | undefined;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  /** How the agent marked the end of a whole answer; undefined if the answer is not whole, or more came behind it. */
  get end(): AnswerEnd | undefined {
    if (this.ending?.type !== 'end' || this.#decoder?.hasSurplus) return undefined;
    return this.#decoder?.isMarked ? 'marked' : 'unmarked';
  }

  /** The events of a batch of messages, up to the end. */
  read(messages: readonly Message[]): readonly ContentEvent[] {
    const content: ContentEvent[] = [];
    this.#decoder ??= this.#createDecoder();
    for (const [bytes, isBinary] of messages) {
      this.taken += 1;
      this.#take(this.#decoder.decode(bytes, isBinary), content);
      if (this.ending) break;
    }
    return content;
  }

  /** The last events, when the agent has closed in good order. */
  close(): readonly ContentEvent[] {
    this.#decoder ??= this.#createDecoder();
    return this.#take(this.#decoder.close(), []);
  }

  /** Adds the events to the content, and returns the content. */
  #take(events: readonly AnswerEvent[], content: ContentEvent[]): ContentEvent[] {
    const { invocation, onAnswer } = this.#options;
    const { record } = invocation;
    for (const event of events) {
      if (isEnd(event)) {
        this.ending = event;
        continue;
      }
      this.hadEvents = true;
      if (isText(event)) {
        record.firstChunkAt ??= performance.now();
        record.chunksReceived += 1;
      }
      if (event.type === 'interrupt') record.interrupted = true;
      if (event.type !== 'data' || event.inline) onAnswer();
      content.push(event);
    }
    return content;
  }

  /** Made with the first message, because the content type of a body is known only then. */
  #createDecoder(): Decoder {
    const { exchange, invocation, maxMessageBytes } = this.#options;
    const bodyType = exchange.bodyType?.();
    return createDecoder({
      ...invocation.agent.entry,
      ...(bodyType !== undefined && { bodyType }),
      ...(exchange.followsUnmarked && { followsUnmarked: true }),
      maxDocumentLength: maxMessageBytes,
      onLeftOut: (length) => {
        this.leftOut.count += 1;
        this.leftOut.characters += length;
      },
    });
  }
}

/** Whether an event is part of the answer's text. */
function isText(event: ContentEvent): boolean {
  return event.type === 'text' || (event.type === 'data' && event.inline === true);
}
