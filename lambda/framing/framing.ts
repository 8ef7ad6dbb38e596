import type { Document, Problem } from './document.ts';

/**
 * How an agent packs documents into messages or a body. A further framing is one such object and one line in
 * `framings.ts`.
 */
export interface Framing {
  /** The content types of `/invocations` that name this framing, in lower case and without parameters. */
  contentTypes: readonly string[];
  /**
   * Whether an exchange has this framing.
   *
   * @param start the first messages, or the first piece of a body
   * @param isBody whether `start` is a piece of a body, which may end anywhere
   * @returns undefined if the decision needs more text
   */
  recognises(start: string, isBody: boolean): boolean | undefined;
  createReader(options: FramingOptions): FramingReader;
}

export interface FramingOptions {
  /** Whether the texts are pieces of one body, which may be cut anywhere, and not messages. */
  isBody: boolean;
  /** The longest document that spans messages, in characters. */
  maxDocumentLength: number;
}

/** Reads the text of one exchange. */
export interface FramingReader {
  /** Returns the documents that the message completes. */
  read(message: string): (Document | Problem)[];
  /** Returns the documents that a clean end completes; to be called after the last message. */
  flush(): (Document | Problem)[];
}

export const TOO_LONG: Problem = { problem: 'the agent sent a document over the size limit' };
