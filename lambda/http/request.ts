import type { Prelude, ResponseStream } from '../answer/response.ts';
import type { StreamError } from '../errors.ts';

/** An HTTP request as every host hands it over. */
export interface Request {
  method: string;
  /** The path as received: percent-encoded, without the query. */
  path: string;
  /** The query as received, without the question mark; empty when there is no query. */
  query: string;
  /** The headers, with names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the body as text; to be called once.
   *
   * @throws StreamError BadRequest or PayloadTooLarge, naming `body`
   */
  body: () => string | Promise<string>;
  /** The host's id of the request, so that an id in an error finds its line in the host's log. */
  requestId: string;
  /** The caller's identity, verified by the host. Undefined when the host verifies none, or when callers share it. */
  identity?: string;
  /** The trace id of X-Ray, if the host has one. */
  traceId: string | undefined;
}

/** What a host provides for each request. */
export interface Host {
  /** Sets status and headers and returns the stream to write to; to be called once. */
  respond: (prelude: Prelude) => ResponseStream;
  /** Whole milliseconds until the host ends the request. */
  remainingMs: () => number;
  /**
   * Is aborted when the caller leaves or the host shuts down; its reason is the StreamError that ends the answer.
   * Absent on a host that notices neither.
   */
  signal?: AbortSignal;
  /** Is aborted only when the host shuts down, for an answer that goes on after its caller has left. */
  shutdown?: AbortSignal;
  /** False if nothing on the way to the caller holds a small write back until the next write. @default true */
  holdsSmallWrites?: boolean;
  /** Returns why the host has no room for a request of this route, if it has none. Absent if it always has room. */
  refusal?: (route: string) => StreamError | undefined;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Makes the trace headers for the agent: this invocation's own trace if it is sampled (`Sampled=0` would switch off the
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
