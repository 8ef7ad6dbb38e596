import { Tracer } from '@aws-lambda-powertools/tracer';
import xray from 'aws-xray-sdk-core';

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
