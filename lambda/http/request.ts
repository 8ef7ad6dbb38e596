import type { Prelude, ResponseStream } from '../answer/relay.ts';
import type { StreamError } from '../errors.ts';

/** An HTTP request as every host hands it over. */
export interface Request {
  method: string;
  /** As it came: percent-encoded, without the query. */
  path: string;
  /** As it came, without the question mark; empty where there is none. */
  query: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the body as text; to be called once.
   *
   * @throws StreamError BadRequest or PayloadTooLarge, naming `body`
   */
  body: () => string | Promise<string>;
  /** The host's own, so that an id in an error finds its line in the host's log. */
  requestId: string;
  /** Who the caller is, as the host has verified it; undefined where it has not, or where others share it. */
  identity?: string;
  /** X-Ray's, where the host has one. */
  traceId: string | undefined;
}

/** What a host gives beside a request. */
export interface Host {
  /** Sets status and headers and returns the stream to write to; to be called once. */
  respond: (prelude: Prelude) => ResponseStream;
  /** Whole milliseconds until the host ends the request. */
  remainingMs: () => number;
  /**
   * Aborted, with the StreamError that ends the answer, when the caller has left or the host shuts down. Absent on a
   * host that notices neither.
   */
  signal?: AbortSignal;
  /** The same when the host shuts down alone: of an answer that goes on when its caller has left. */
  shutdown?: AbortSignal;
  /** False where nothing on the way to the caller holds a small write back until another follows. @default true */
  holdsSmallWrites?: boolean;
  /** Why the host has no room for a request of this route, if it has none. Absent where there always is. */
  refusal?: (route: string) => StreamError | undefined;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Trace headers for the agent: this invocation's own trace if it is sampled (`Sampled=0` would switch off the
 * agent's traces), and the caller's `traceparent` if it has the W3C form.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceHeaders({
  headers: { traceparent },
  traceId,
}: Pick<Request, 'headers' | 'traceId'>): Record<string, string> {
  return {
    ...(isSampled(traceId) && { 'x-amzn-trace-id': traceId }),
    ...(traceparent !== undefined && TRACEPARENT.test(traceparent) && { traceparent }),
  };
}

export function isSampled(traceId: string | undefined): traceId is string {
  return traceId?.includes('Sampled=1') === true && traceId.length <= 128;
}
