// biome-ignore lint/style/noRestrictedImports: this file owns it
import { Tracer } from '@aws-lambda-powertools/tracer';
import xray from 'aws-xray-sdk-core';
import type { RequestOutcome } from './outcome.ts';

/** A stretch of time within an invocation. Times are milliseconds since the epoch. */
export interface Span {
  name: string;
  startMs: number;
  endMs: number;
  /** Searchable in X-Ray. */
  annotations?: Record<string, string | number | boolean>;
  /** What went wrong; its code only, as messages may be long. */
  fault?: string;
  children?: Span[];
}

/** An invocation with connect, first chunk and stream as its parts. */
export function toSpan(
  { error, startedAt, endedAt }: RequestOutcome,
  { agent, sessionId, record }: NonNullable<RequestOutcome['invocation']>,
  coldStart: boolean,
): Span {
  // By the present: a frozen environment's monotonic clock may have stood still.
  const offset = Date.now() - performance.now();
  const epochMs = (at: number) => offset + at;
  const { connectedAt, connectionMs, promptSentAt, firstChunkAt } = record;
  const part = (name: string, from: number | undefined, to: number | undefined): Span[] =>
    from === undefined || to === undefined ? [] : [{ name, startMs: epochMs(from), endMs: epochMs(to) }];
  return {
    name: '## invoke',
    startMs: epochMs(startedAt),
    endMs: epochMs(endedAt),
    annotations: { agent, session: sessionId, ColdStart: coldStart },
    ...(error && { fault: error.code }),
    children: [
      ...part(
        'connect',
        connectedAt === undefined ? undefined : connectedAt - (connectionMs ?? 0),
        connectedAt,
      ),
      ...part('first chunk', promptSentAt, firstChunkAt),
      ...part('stream', firstChunkAt, endedAt),
    ],
  };
}

const tracer = new Tracer({ captureHTTPsRequests: false });

/**
 * Sends what was noted during an invocation as one X-Ray subsegment with children. It is all over by then, so
 * that this costs the caller nothing, and the times are those that were noted.
 *
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
 */
export async function sendTrace(root: Span): Promise<void> {
  const segment = tracer.getSegment();
  if (!tracer.isTracingEnabled() || !segment) return;
  const subsegment = toSubsegment(root);
  segment.addSubsegment(subsegment);
  for (const child of root.children ?? []) subsegment.addSubsegment(toSubsegment(child));
  subsegment.flush();
  segment.removeSubsegment(subsegment);
  // The datagram leaves on the next turn of the loop; a frozen environment would keep it.
  await new Promise((resolve) => setImmediate(resolve));
}

function toSubsegment({ name, startMs, endMs, annotations = {}, fault }: Span): xray.Subsegment {
  const subsegment = new xray.Subsegment(name);
  // Closed from the start: close() would put the present time as its end.
  Object.assign(subsegment, { start_time: startMs / 1000, end_time: endMs / 1000, in_progress: undefined });
  for (const [key, value] of Object.entries(annotations)) subsegment.addAnnotation(key, value);
  if (fault) subsegment.addError(fault);
  return subsegment;
}
