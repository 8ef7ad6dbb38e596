// biome-ignore lint/style/noRestrictedImports: this file owns it
import { Tracer } from '@aws-lambda-powertools/tracer';
import xray from 'aws-xray-sdk-core';
import type { InvocationSpan, Stretch } from './span.ts';

const tracer = new Tracer({ captureHTTPsRequests: false });

/**
 * Sends an invocation as one X-Ray subsegment with children. The answer is already over, so this costs the caller
 * nothing, and the times are those that were noted during the invocation.
 *
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
 */
export async function sendTrace(span: InvocationSpan): Promise<void> {
  const segment = tracer.getSegment();
  if (!tracer.isTracingEnabled() || !segment) return;
  const { agent, sessionId, coldStart, fault, parts } = span;
  const subsegment = toSubsegment({ ...span, name: '## invoke' });
  // X-Ray can search by annotations.
  const annotations = { agent, session: sessionId, ColdStart: coldStart };
  for (const [key, value] of Object.entries(annotations)) subsegment.addAnnotation(key, value);
  if (fault) subsegment.addError(fault);
  segment.addSubsegment(subsegment);
  for (const part of parts) subsegment.addSubsegment(toSubsegment(part));
  subsegment.flush();
  segment.removeSubsegment(subsegment);
  // The datagram leaves on the next turn of the event loop. If the environment froze before, the datagram would stay.
  await new Promise((resolve) => setImmediate(resolve));
}

function toSubsegment({ name, startMs, endMs }: Stretch): xray.Subsegment {
  const subsegment = new xray.Subsegment(name);
  // The end is set here, because close() would set the current time as the end.
  Object.assign(subsegment, { start_time: startMs / 1000, end_time: endMs / 1000, in_progress: undefined });
  return subsegment;
}
