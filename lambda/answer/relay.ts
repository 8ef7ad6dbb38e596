import { StreamError } from '../errors.ts';
import type { ContentEvent, Usage, UsageEvent } from '../events.ts';
import { cut, isHighSurrogate, isLowSurrogate } from './cut.ts';
import type { AnswerContext, AnswerStats, Protocol, ProtocolWriter } from './protocol.ts';
import { drained, type Prelude, type ResponseStream, writeError } from './response.ts';
import { SilenceFiller, type SilenceOptions } from './silence-filler.ts';

export interface RelayOptions extends SilenceOptions {
  protocol: Protocol;
  context: AnswerContext;
  /** Sets status and headers and returns the stream to write to; to be called once. */
  respond: (prelude: Prelude) => ResponseStream;
  /** Is aborted with the StreamError that ends the answer. */
  abort: AbortController;
  commitAfterMs: number;
  maxResponseBytes: number;
  /** Whether the answer goes on after its reader has left, for a reader that comes back. @default - it is aborted */
  outlivesReader?: boolean;
  /** Called after a reader has taken nothing for 30 seconds or more. */
  onStall?: (stalledMs: number) => void;
}

const STALL_MS = 30_000;
/** Events are joined into writes of about this length. Longer writes are cut on the way, in the middle of an event. */
const MAX_WRITE_LENGTH = 4096;

/**
 * One answer on its way to the caller. Nothing is written until the commit point, so a failure before it still becomes
 * a status. The commit point is the first text, an error, or, if the format fills silence, the end of `commitAfterMs`.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #writer: ProtocolWriter;
  readonly #startedAt = performance.now();
  #stream: ResponseStream | undefined;
  /** Whether the stream is ended, or closed by the platform. Nothing may be written to it any more. */
  #isOver = false;
  #chunks = 0;
  #textBytes = 0;
  /** Whether the text so far ends with the first half of a surrogate pair. */
  #endsInPair = false;
  #usage: Usage | undefined;
  #interrupted = false;
  /** The text of events that are counted but not written yet. */
  #waiting = '';
  #writtenBytes = 0;
  #readerStalledMs = 0;
  readonly #silence: SilenceFiller;
  #commitTimer: NodeJS.Timeout | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#writer = options.protocol.createWriter(options.context);
    this.#silence = new SilenceFiller(options, (comment) => this.#fill(comment));
    if (!options.protocol.fillsSilence) return;
    if (options.commitAfterMs === 0) this.#commit();
    else this.#commitTimer = setTimeout(() => this.#commit(), options.commitAfterMs);
  }

  get stats(): AnswerStats {
    const durationMs = Math.round(performance.now() - this.#startedAt);
    return {
      chunks: this.#chunks,
      bytes: this.#textBytes,
      durationMs,
      ...(this.#usage && { usage: this.#usage }),
      ...(this.#interrupted && { interrupted: true }),
    };
  }

  /** How long the answer waited for its reader, in all pauses that are over. */
  get readerStalledMs(): number {
    return this.#readerStalledMs;
  }

  get isCommitted(): boolean {
    return this.#stream !== undefined;
  }

  /**
   * Writes events that arrived together, if possible in one write, because each write costs more than making an event.
   * A long text becomes several events.
   *
   * @returns a promise when the stream is full, to be awaited before the next call; it rejects when the answer is
   * aborted
   * @throws StreamError ResponseTooLarge
   */
  write(events: readonly ContentEvent[]): Promise<void> | undefined {
    try {
      for (const event of events) this.#add(event);
    } finally {
      this.#flush();
    }
    return !this.#isOver && this.#stream?.writableNeedDrain ? this.#waitForReader() : undefined;
  }

  /** Ends a complete answer. */
  done(stats = this.stats): void {
    this.#finish(() => this.#writer.done(stats));
  }

  /** Ends a failed answer: with a status before the commit point, with an error in the stream after it. */
  fail(error: StreamError, stats = this.stats): void {
    const { context, protocol, respond } = this.#options;
    if (this.#stream) return this.#finish(() => this.#writer.fail(error, stats));
    this.#stopTimers();
    this.#isOver = true;
    const { sessionId, agentId } = context;
    this.#stream = writeError(respond, error, context.requestId, { agentId, sessionId }, protocol);
  }

  /**
   * Waits until everything is sent, but no longer than the limit, because a reader may stall. To be called after the
   * end.
   */
  closed(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const stream = this.#stream;
      if (!stream || stream.destroyed) return resolve();
      const settle = () => {
        clearTimeout(timer);
        stream.off('close', settle);
        resolve();
      };
      // 'finish' is not emitted when the platform answers early, but 'close' always is.
      stream.once('close', settle);
      const timer = setTimeout(settle, limitMs);
    });
  }

  #finish(closing: () => string): void {
    const stream = this.#stream ?? this.#commit();
    this.#stopTimers();
    // A write after the end would kill the process.
    if (this.#isOver || stream.destroyed) return;
    this.#isOver = true;
    const text = closing();
    if (text !== '') stream.write(text);
    stream.end();
  }

  /** Sets status and headers, and begins the answer. */
  #commit(): ResponseStream {
    const { protocol, context, respond, abort, outlivesReader } = this.#options;
    clearTimeout(this.#commitTimer);
    const stream = respond({
      statusCode: 200,
      headers: {
        'Content-Type': protocol.contentType,
        'Cache-Control': 'no-cache, no-transform',
        // This header tells nginx and similar proxies not to hold the answer back.
        'X-Accel-Buffering': 'no',
        'X-Session-Id': context.sessionId,
        ...protocol.headers,
      },
    });
    this.#stream = stream;
    stream.once('close', () => {
      if (!this.#isOver && !outlivesReader) {
        abort.abort(new StreamError('AgentInterrupted', 'the platform closed the response stream'));
      }
      this.#isOver = true;
    });
    // The reader may have left before the answer began.
    if (stream.destroyed) this.#isOver = true;
    this.#write(this.#writer.open());
    this.#silence.begin();
    return stream;
  }

  #add(event: ContentEvent): void {
    const { protocol } = this.#options;
    if (event.type === 'text') return this.#addText(event.text);
    if (event.type === 'data' && event.inline && protocol.inlinesData) return this.#addText(event.raw);
    if (event.type === 'usage') this.#usage = sum(this.#usage, event);
    else if (event.type === 'interrupt') this.#interrupted = true;
    const written = this.#writer.event(event);
    if (written !== '') this.#addBounded(written);
  }

  #addText(text: string): void {
    const { maxTextLength } = this.#options.protocol;
    if (text.length <= maxTextLength) return this.#addChunk(text);
    for (const piece of cut(text, maxTextLength)) this.#addChunk(piece);
  }

  #addChunk(text: string): void {
    this.#addBounded(this.#writer.event({ type: 'text', text }));
    this.#chunks += 1;
    this.#textBytes += Buffer.byteLength(text);
    // Each half of a cut surrogate pair counts three bytes, but the pair has four.
    if (this.#endsInPair && isLowSurrogate(text.charCodeAt(0))) this.#textBytes -= 2;
    this.#endsInPair = isHighSurrogate(text.charCodeAt(text.length - 1));
  }

  /** @throws StreamError ResponseTooLarge */
  #addBounded(text: string): void {
    if (!this.#stream) this.#commit();
    const bytes = Buffer.byteLength(text);
    // The limit does not apply to opening and closing, because the answer would not be valid without them.
    if (this.#writtenBytes + bytes > this.#options.maxResponseBytes) {
      throw new StreamError('ResponseTooLarge', 'the answer exceeded the maximum response size');
    }
    this.#writtenBytes += bytes;
    this.#waiting += text;
    if (this.#waiting.length >= MAX_WRITE_LENGTH) this.#flush();
  }

  /** Writes the events that wait. */
  #flush(): void {
    if (this.#waiting === '') return;
    this.#send(this.#waiting);
    this.#waiting = '';
    this.#silence.nudgeLater();
  }

  #write(text: string): void {
    this.#writtenBytes += Buffer.byteLength(text);
    this.#send(text);
  }

  #send(text: string): void {
    if (this.#isOver || text === '') return;
    this.#silence.noteWrite();
    // Node.js would count and encode a string again at each step to the socket, so bytes are written.
    this.#stream?.write(Buffer.from(text));
  }

  /** Writes a comment, unless the reader is behind. */
  #fill(comment: string): void {
    const hasRoom = this.#writtenBytes + comment.length <= this.#options.maxResponseBytes;
    if (hasRoom && !this.#stream?.writableNeedDrain) this.#write(comment);
  }

  /** Waits for the reader, and notes for how long. */
  async #waitForReader(): Promise<void> {
    const since = performance.now();
    try {
      await drained(this.#stream as ResponseStream, this.#options.abort.signal);
      // The last chunk before the pause was not followed by a comment yet.
      if (!this.#isOver) this.#silence.nudgeLater();
    } finally {
      const stalledMs = performance.now() - since;
      this.#readerStalledMs += stalledMs;
      if (stalledMs >= STALL_MS) this.#options.onStall?.(stalledMs);
    }
  }

  #stopTimers(): void {
    clearTimeout(this.#commitTimer);
    this.#silence.stop();
  }
}

function sum(total: Usage | undefined, { inputTokens, outputTokens }: UsageEvent): Usage {
  const input = (total?.inputTokens ?? 0) + (inputTokens ?? 0);
  const output = (total?.outputTokens ?? 0) + (outputTokens ?? 0);
  return { inputTokens: input, outputTokens: output };
}
