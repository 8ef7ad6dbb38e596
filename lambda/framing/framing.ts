import type { Document, Problem } from './document.ts';

/** How an agent packs documents into messages or into a body. A further framing is one such object and one line in `framings.ts`. */
export interface Framing {
  /** The content types of `/invocations` that name this framing, in lower case and without parameters. */
  contentTypes: readonly string[];
  /**
   * Whether an exchange is framed so.
   *
   * @param start the first messages, or the first piece of a body
   * @param isBody whether `start` may be cut anywhere
   * @returns undefined where more must come first
   */
  recognises(start: string, isBody: boolean): boolean | undefined;
  createReader(options: FramingOptions): FramingReader;
}

export interface FramingOptions {
  /** The text is one body, cut anywhere, and not messages. */
  isBody: boolean;
  /** Limit for a document that spans messages, in characters. */
  maxDocumentLength: number;
}

/** Reads the text of one exchange. */
export interface FramingReader {
  /** The documents that are now complete. */
  read(message: string): (Document | Problem)[];
  /** To be called after the last message: what a clean end completes. */
  flush(): (Document | Problem)[];
}

export const TOO_LONG: Problem = { problem: 'the agent sent a document over the size limit' };
