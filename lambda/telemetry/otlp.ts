import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { OtlpTarget } from '../otlp-config.ts';
import type { InvocationSpan, Stretch } from './span.ts';
import { readTraceContext, type TraceContext, type TraceHeaders } from './trace-context.ts';

type Value = string | number | boolean;

/** `SPAN_KIND_…` and `STATUS_CODE_…` of the protocol. */
const INTERNAL = 1;
const CLIENT = 3;
const ERROR = 2;

/** The most spans that wait for a slow collector. Further spans are lost. */
const MAX_WAITING = 1000;

/** Sends the span of a request with the given headers, unless its caller does not sample it. Rejects if it is lost. */
export type OtlpWriter = (span: InvocationSpan, headers: TraceHeaders) => Promise<void>;

/**
 * Writes spans as OTLP over HTTP, in its JSON form, by the semantic conventions for generative AI. It sends one request
 * at a time, and spans that arrive meanwhile go out with the next one, so that a process with a thousand answers sends
 * few requests.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/
 */
export function createOtlpWriter(target: OtlpTarget, resource: Readonly<Record<string, Value>>): OtlpWriter {
  let waiting: object[] = [];
  let sending: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  return async (span, headers) => {
    const context = readTraceContext(headers);
    if (!context.isSampled) return;
    if (waiting.length >= MAX_WAITING) throw new Error('the collector is too slow');
    waiting.push(...toSpans(span, context));
    next ??= sending
      .catch(() => {})
      .then(() => {
        const spans = waiting;
        waiting = [];
        next = undefined;
        sending = post(target, payload(resource, spans));
        return sending;
      });
    await next;
  };
}

function payload(resource: Readonly<Record<string, Value>>, spans: object[]): string {
  const scopeSpans = [{ scope: { name: 'agentcore-stream' }, spans }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans }] });
}

/** Makes the spans of an invocation and its parts. */
function toSpans(span: InvocationSpan, { traceId, parentSpanId }: TraceContext): object[] {
  const { agent, sessionId, coldStart, fault, firstChunkMs, inputTokens, outputTokens, parts } = span;
  const spanId = randomBytes(8).toString('hex');
  const invocation = {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name: `invoke_agent ${agent}`,
    kind: CLIENT,
    ...times(span),
    attributes: attributes({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.provider.name': 'aws.bedrock',
      'gen_ai.agent.id': agent,
      // The id is hashed, because with the id itself a reader of traces could continue the conversation.
      'gen_ai.conversation.id': createHash('sha256').update(sessionId).digest('hex'),
      'gen_ai.usage.input_tokens': inputTokens,
      'gen_ai.usage.output_tokens': outputTokens,
      // The convention gives this time in seconds.
      'gen_ai.response.time_to_first_chunk': firstChunkMs === undefined ? undefined : firstChunkMs / 1000,
      'faas.coldstart': coldStart,
      'aws.request_id': span.upstreamRequestId,
      'error.type': fault,
    }),
    ...(fault !== undefined && { status: { code: ERROR, message: fault } }),
  };
  const children = parts.map((part) => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    parentSpanId: spanId,
    name: part.name,
    kind: INTERNAL,
    ...times(part),
  }));
  return [invocation, ...children];
}

/** Writes the times in nanoseconds as decimal text, because a number has too few digits. */
function times({ startMs, endMs }: Omit<Stretch, 'name'>): object {
  const nano = (ms: number) => String(BigInt(Math.round(ms * 1000)) * 1000n);
  return { startTimeUnixNano: nano(startMs), endTimeUnixNano: nano(endMs) };
}

function attributes(values: Readonly<Record<string, Value | undefined>>): object[] {
  return Object.entries(values).flatMap(([key, value]): object[] => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
    if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
    // A 64-bit integer is text in this JSON. Only counts of tokens are integers.
    return [{ key, value: key.endsWith('_tokens') ? { intValue: String(value) } : { doubleValue: value } }];
  });
}

/** @throws Error when the collector cannot be reached, takes too long, or refuses the spans */
function post({ url, headers, timeoutMs }: OtlpTarget, body: string): Promise<void> {
  const { request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        // No connection is kept, because it would be dead after the environment was frozen.
        agent: false,
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.resume();
        response.once('error', reject).once('end', () => {
          if (statusCode >= 200 && statusCode < 300) resolve();
          else reject(new Error(`the collector answered ${statusCode}`));
        });
      },
    );
    // The limit applies to the whole request, not to a silence in it.
    const timer = setTimeout(() => {
      sent.destroy(new Error(`the collector did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    sent.once('error', reject).once('close', () => clearTimeout(timer));
    sent.end(body);
  });
}
