import { type ErrorDetails, errorBody, type StreamError } from '../errors.ts';
import type { Protocol } from './protocol.ts';

/** The part of the response stream that is used here. In Lambda the stream is an `http.ClientRequest` underneath. */
export interface ResponseStream {
  write(chunk: string | Uint8Array): boolean;
  end(): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableNeedDrain: boolean;
}

/** The status and the headers of an answer. They are sent with the first write. */
export interface Prelude {
  statusCode: number;
  headers: Record<string, string>;
}

/**
 * Resolves when a full stream takes writes again, or when its reader has left. Rejects with the reason when the signal
 * is aborted.
 */
export function drained(stream: ResponseStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      stream.off('drain', settle);
      stream.off('close', settle);
      signal.removeEventListener('abort', settle);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    stream.once('drain', settle);
    stream.once('close', settle);
    signal.addEventListener('abort', settle, { once: true });
    if (signal.aborted || stream.destroyed) settle();
  });
}

/** Answers with an error before anything else is written: with its status, and a body in the protocol's own form. */
export function writeError(
  respond: (prelude: Prelude) => ResponseStream,
  error: StreamError,
  requestId: string,
  details: ErrorDetails = error.details,
  protocol?: Protocol,
): ResponseStream {
  const { sessionId } = details;
  const refusal = protocol?.refusal?.(error, requestId, details) ?? {
    contentType: 'application/json',
    body: errorBody(error, requestId, details),
  };
  const stream = respond({
    statusCode: error.status,
    headers: {
      'Content-Type': refusal.contentType,
      'Cache-Control': 'no-store',
      ...(sessionId !== undefined && { 'X-Session-Id': sessionId }),
      ...(error.retryAfterSeconds !== undefined && { 'Retry-After': String(error.retryAfterSeconds) }),
      ...refusal.headers,
      ...error.headers,
    },
  });
  // Status and headers are sent only with a write, and an end alone would lose them.
  stream.write(refusal.body);
  stream.end();
  return stream;
}
