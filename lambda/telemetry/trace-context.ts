import { randomBytes } from 'node:crypto';

/** The headers of a request that name its trace. */
export interface TraceHeaders {
  readonly traceparent?: string | undefined;
  /** The trace id that Lambda gives. */
  readonly xRayTraceId?: string | undefined;
}

/** The trace that a span belongs to. Ids are written in lower-case hexadecimal digits. */
export interface TraceContext {
  /** An id of 16 bytes. */
  readonly traceId: string;
  /** An id of 8 bytes; undefined when the trace begins here. */
  readonly parentSpanId?: string;
  readonly isSampled: boolean;
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
const X_RAY = /Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;Parent=([0-9a-f]{16}))?/;

/**
 * Reads the trace of a request: the caller's own trace, which also decides on sampling, otherwise Lambda's trace under
 * its X-Ray id, otherwise a new trace.
 */
export function readTraceContext({ traceparent = '', xRayTraceId = '' }: TraceHeaders): TraceContext {
  const [, callers, parent, flags = ''] = TRACEPARENT.exec(traceparent) ?? [];
  if (callers !== undefined && parent !== undefined) {
    return { traceId: callers, parentSpanId: parent, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
  }
  const [, seconds = '', random = '', segment] = X_RAY.exec(xRayTraceId) ?? [];
  if (seconds !== '') {
    return { traceId: seconds + random, ...(segment && { parentSpanId: segment }), isSampled: true };
  }
  return { traceId: randomBytes(16).toString('hex'), isSampled: true };
}
