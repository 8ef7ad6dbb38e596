import type { AnswerEvent } from '../events.ts';
import type { Document } from '../framing/document.ts';

/**
 * The form of an agent's input and output. A further dialect is one such object in its own file and one line in
 * `dialects.ts`; docs/architecture.md lists what its tests and the documents need.
 *
 * What dialects have in common is in three helpers. `createUnknownReader` reads each document of a kind that the
 * dialect does not know, because the agent's own code may send it: it is an end, a failure or data, and never text.
 * `failureOf` makes the failure from whatever object reports it, and bounds its texts. `createToolCalls` turns the
 * pieces and repetitions of a tool call into its four events, once and in order.
 */
export interface Dialect {
  /** Whether a document can only be of this dialect. */
  recognises(document: Document): boolean;
  /** Whether an answer may begin with a document that other dialects send, too. The next document then decides. */
  mayBegin?(document: Document): boolean;
  createReader(options: DialectOptions): DialectReader;
  /**
   * Makes the agent's input, which is sent as JSON.
   *
   * @default {prompt, sessionId}
   */
  input?(request: InputRequest): Record<string, unknown>;
  /** Whether {@link input} takes the caller's RunAgentInput, so that its tools, state and history reach the agent. */
  takesRun?: true;
  /** Whether each document is text without any rule, in any framing. */
  isVerbatim?: true;
}

/** Reads the documents of one exchange. It is not called again after it has returned an end. */
export interface DialectReader {
  /** Returns the events of one document in order. An end or a failure is the last event. */
  read(document: Document): AnswerEvent[];
  /**
   * Whether the answer is complete if the agent closes cleanly now, without a mark of the end. Before the first
   * document it is: nothing has begun that could be cut, and the answer is an empty one.
   */
  isCompleteOnClose(): boolean;
}

/** The options of an agent's entry about its answers. */
export interface DialectOptions {
  /** A further `type` (or `event`) that ends an answer. */
  endMarker?: string;
  /** What ends an answer: only the marker, or only the close. @default - every known mark, and the close */
  ends?: 'marker' | 'close';
  /** The path of the text, such as `event.contentBlockDelta.delta.text`. The first path that leads to a text counts. */
  textPath?: string | readonly string[];
  /** How JSON without text is treated: passed on as text, dropped, or turned into an event. */
  structured: 'pass' | 'drop' | 'event';
  /** Called with the length in characters of a document that is left out because it has nothing for a reader. */
  onLeftOut(length: number): void;
}

/** The parts of a caller's request from which the agent's input is made. */
export interface InputRequest {
  prompt: string;
  sessionId: string;
  requestId: string;
  /** Further keys of the caller, if the agent's entry allows them. */
  payload?: Record<string, unknown>;
  /** The RunAgentInput of a caller that speaks AG-UI. */
  run?: Record<string, unknown>;
}
