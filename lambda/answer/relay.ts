import { type ErrorDetails, errorBody, StreamError } from '../errors.ts';
import { type AnswerContext, type AnswerStats, cut, type ResponseFormat } from './protocol.ts';

/** What this needs of the response stream, which is an `http.ClientRequest` underneath. */
export interface ResponseStream {
  write(chunk: string | Uint8Array): boolean;
  end(): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableNeedDrain: boolean;
}

/** Status and headers of an answer; they leave with the first write. */
export interface Prelude {
  statusCode: number;
  headers: Record<string, string>;
}

export interface RelayOptions {
  format: ResponseFormat;
  context: AnswerContext;
  /** Sets status and headers and returns the stream to write to; to be called once. */
  respond: (prelude: Prelude) => ResponseStream;
  /** Aborted with the StreamError that ends the answer. */
  abort: AbortController;
  commitAfterMs: number;
  heartbeatIntervalMs: number;
  maxResponseBytes: number;
  /** Told of a reader that took nothing for so long. */
  onStall?: (stalledMs: number) => void;
}

/** A small chunk may stick in the platform until something follows it. */
const NUDGE_AFTER_MS = 50;
const STALL_MS = 30_000;

/**
 * One answer on its way to the caller. Until the commit point (the first text, an error, or, where the format
 * fills silence, `commitAfterMs`) nothing has been written and a failure still becomes a status.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #startedAt = performance.now();
  #stream: ResponseStream | undefined;
  /** Ended, or closed by the platform: nothing may be written any more. */
  #isOver = false;
  #chunks = 0;
  #textBytes = 0;
  #writtenBytes = 0;
  #lastWriteAt = 0;
  #commitTimer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #nudge: NodeJS.Timeout | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    if (!options.format.fillsSilence) return;
    if (options.commitAfterMs === 0) this.#commit();
    else this.#commitTimer = setTimeout(() => this.#commit(), options.commitAfterMs);
  }

  get stats(): AnswerStats {
    const durationMs = Math.round(performance.now() - this.#startedAt);
    return { chunks: this.#chunks, bytes: this.#textBytes, durationMs };
  }

  get isCommitted(): boolean {
    return this.#stream !== undefined;
  }

  /**
   * Writes a text, one write per event.
   *
   * @returns a promise when the stream is full, to be awaited before the next call; it rejects when the answer
   * is aborted meanwhile
   * @throws StreamError ResponseTooLarge
   */
  write(text: string): Promise<void> | undefined {
    const { maxChunkLength } = this.#options.format;
    const stream = this.#stream ?? this.#commit();
    let isFlowing = true;
    if (text.length <= maxChunkLength) isFlowing = this.#writeChunk(text);
    else for (const piece of cut(text, maxChunkLength)) isFlowing = this.#writeChunk(piece);
    this.#nudgeLater();
    return isFlowing ? undefined : this.#drained(stream);
  }

  /** Ends a complete answer. */
  done(): void {
    this.#finish((format, context) => format.done(context, this.stats));
  }

  /** Ends an answer that failed: as a status before the commit point, in-band after it. */
  fail(error: StreamError): void {
    const { context } = this.#options;
    if (this.#stream) return this.#finish((format) => format.fail(context, this.stats, error));
    this.#stopTimers();
    const { requestId, ...details } = context;
    this.#isOver = true;
    this.#stream = writeError(this.#options.respond, error, requestId, details);
  }

  /** Once the stream is ended: waits until all of it has left, or the limit. A stalled reader is not waited for. */
  closed(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const stream = this.#stream;
      if (!stream || stream.destroyed) return resolve();
      const settle = () => {
        clearTimeout(timer);
        stream.off('close', settle);
        resolve();
      };
      // 'finish' never comes when the platform answers early; 'close' always does.
      stream.once('close', settle);
      const timer = setTimeout(settle, limitMs);
    });
  }

  #finish(closing: (format: ResponseFormat, context: AnswerContext) => string): void {
    const { format, context } = this.#options;
    const stream = this.#stream ?? this.#commit();
    this.#stopTimers();
    // A write after the end would kill the process.
    if (this.#isOver || stream.destroyed) return;
    this.#isOver = true;
    stream.write(closing(format, context));
    stream.end();
  }

  /** Fixes status and headers, which leave with the first write, and begins the answer. */
  #commit(): ResponseStream {
    const { format, context, respond, abort } = this.#options;
    clearTimeout(this.#commitTimer);
    const stream = respond({
      statusCode: 200,
      headers: {
        'Content-Type': format.contentType,
        'Cache-Control': 'no-cache, no-transform',
        'X-Session-Id': context.sessionId,
      },
    });
    this.#stream = stream;
    stream.once('close', () => {
      if (!this.#isOver) {
        abort.abort(new StreamError('AgentInterrupted', 'the platform closed the response stream'));
      }
      this.#isOver = true;
    });
    this.#write(format.open(context));
    if (format.fillsSilence) this.#beatAfter(this.#options.heartbeatIntervalMs);
    this.#nudgeLater();
    return stream;
  }

  #writeChunk(text: string): boolean {
    const event = this.#options.format.chunk(text);
    const bytes = Buffer.byteLength(event);
    // Opening and closing always have room: without them the answer would not be valid.
    if (this.#writtenBytes + bytes > this.#options.maxResponseBytes) {
      throw new StreamError('ResponseTooLarge', 'the answer exceeded the maximum response size');
    }
    this.#chunks += 1;
    this.#textBytes += Buffer.byteLength(text);
    return this.#write(event, bytes);
  }

  #write(text: string, bytes = Buffer.byteLength(text)): boolean {
    if (this.#isOver) return true;
    this.#writtenBytes += bytes;
    this.#lastWriteAt = performance.now();
    return this.#stream?.write(text) ?? true;
  }

  #nudgeLater(): void {
    if (!this.#options.format.fillsSilence) return;
    this.#nudge ??= setTimeout(() => this.#nudgeIfQuiet(), NUDGE_AFTER_MS);
  }

  /** Runs once for each silence, when nothing followed a chunk. A chunk only notes its time. */
  #nudgeIfQuiet(): void {
    const quietMs = performance.now() - this.#lastWriteAt;
    this.#nudge = undefined;
    if (hasElapsed(quietMs, NUDGE_AFTER_MS)) this.#fill(this.#options.format.nudge);
    else this.#nudge = setTimeout(() => this.#nudgeIfQuiet(), NUDGE_AFTER_MS - quietMs);
  }

  #beatAfter(ms: number): void {
    this.#heartbeat = setTimeout(() => {
      const { format, heartbeatIntervalMs } = this.#options;
      const quietMs = performance.now() - this.#lastWriteAt;
      const due = hasElapsed(quietMs, heartbeatIntervalMs);
      if (due) this.#fill(format.heartbeat);
      this.#beatAfter(due ? heartbeatIntervalMs : heartbeatIntervalMs - quietMs);
    }, ms);
  }

  /** Writes a comment, unless the reader is behind. */
  #fill(comment: string): void {
    const hasRoom = this.#writtenBytes + comment.length <= this.#options.maxResponseBytes;
    if (hasRoom && !this.#stream?.writableNeedDrain) this.#write(comment);
  }

  #drained(stream: ResponseStream): Promise<void> {
    const { signal } = this.#options.abort;
    const since = performance.now();
    return new Promise((resolve, reject) => {
      const settle = () => {
        stream.off('drain', settle);
        signal.removeEventListener('abort', settle);
        const stalledMs = performance.now() - since;
        if (stalledMs >= STALL_MS) this.#options.onStall?.(stalledMs);
        if (signal.aborted) return reject(signal.reason);
        // The last chunk before the pause has had no nudge.
        this.#nudgeLater();
        resolve();
      };
      stream.once('drain', settle);
      // Also when the stream is closed: that aborts.
      signal.addEventListener('abort', settle, { once: true });
      if (signal.aborted) settle();
    });
  }

  #stopTimers(): void {
    clearTimeout(this.#commitTimer);
    clearTimeout(this.#heartbeat);
    clearTimeout(this.#nudge);
    this.#nudge = undefined;
  }
}

/** Timers fire up to a millisecond early. */
function hasElapsed(elapsedMs: number, limitMs: number): boolean {
  return elapsedMs >= limitMs - 1;
}

/** Answers with an error before which nothing was written: its status, and one JSON document. */
export function writeError(
  respond: (prelude: Prelude) => ResponseStream,
  error: StreamError,
  requestId: string,
  details: ErrorDetails = error.details,
): ResponseStream {
  const { sessionId } = details;
  const stream = respond({
    statusCode: error.status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ...(sessionId !== undefined && { 'X-Session-Id': sessionId }),
      ...(error.retryAfterSeconds !== undefined && { 'Retry-After': String(error.retryAfterSeconds) }),
      ...error.headers,
    },
  });
  // Status and headers leave only with a write; an end alone would lose them.
  stream.write(errorBody(error, requestId, details));
  stream.end();
  return stream;
}
