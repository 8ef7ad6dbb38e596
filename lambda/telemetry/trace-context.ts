import { randomBytes } from 'node:crypto';

/** Headers of a request that say which trace it belongs to. */
export interface TraceHeaders {
  readonly traceparent?: string | undefined;
  /** Lambda's own. */
  readonly xRayTraceId?: string | undefined;
}

/** Which trace a span belongs to; ids are lower-case hex. */
export interface TraceContext {
  /** 16 bytes. */
  readonly traceId: string;
  /** 8 bytes; undefined where the trace begins here. */
  readonly parentSpanId?: string;
  readonly isSampled: boolean;
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
const X_RAY = /Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;Parent=([0-9a-f]{16}))?/;

/**
 * The trace of a caller that told its own, which also decides whether it is sampled; else that of Lambda, under the id
 * that X-Ray gives it; else a new one.
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
