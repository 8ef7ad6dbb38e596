import type { AnswerEvent } from '../events.ts';
import type { Document } from '../framing/document.ts';

/** What an agent speaks. A further dialect is one such object in a file of its own and one line in `dialects.ts`. */
export interface Dialect {
  /** Whether a document can only be of this dialect. */
  recognises(document: Document): boolean;
  /** Whether an answer of this dialect may begin with a document that others send, too; the next one then tells. */
  mayBegin?(document: Document): boolean;
  createReader(options: DialectOptions): DialectReader;
  /**
   * The agent's input, sent as JSON.
   *
   * @default {prompt, sessionId}
   */
  input?(request: InputRequest): Record<string, unknown>;
  /** {@link input} is made of the RunAgentInput of a caller that has one: its tools, state and history arrive. */
  takesRun?: true;
  /** Documents are read by no rule at all: each is text, of any framing. */
  isVerbatim?: true;
}

/** Reads the documents of one exchange. It is never called again once it has returned an end. */
export interface DialectReader {
  /** The events of one document, in order. An end or a failure is the last of them. */
  read(document: Document): AnswerEvent[];
  /** Whether the answer is complete when the agent closes in good order now, without a mark of its end. */
  isCompleteOnClose(): boolean;
}

/** Of an agent's entry. */
export interface DialectOptions {
  /** A `type` (or `event`) that ends an answer, beside the known ones. */
  endMarker?: string;
  /** What ends an answer. @default every known mark, and the close */
  ends?: 'marker' | 'close';
  /** Where the text lies, `event.contentBlockDelta.delta.text`; the first path that leads to a text. */
  textPath?: string | readonly string[];
  /** What becomes of JSON that holds no text. */
  structured: 'pass' | 'drop' | 'event';
  /** Told of a document that is left out because it holds nothing for a reader, with its length in characters. */
  onLeftOut(length: number): void;
}

/** What a frontend asks. */
export interface InputRequest {
  prompt: string;
  sessionId: string;
  requestId: string;
  /** Further keys of the caller, where the agent's entry allows them. */
  payload?: Record<string, unknown>;
  /** The RunAgentInput of a caller that speaks AG-UI. */
  run?: Record<string, unknown>;
}
