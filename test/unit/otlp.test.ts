import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createOtlpWriter } from '../../lambda/telemetry/otlp.ts';
import type { InvocationSpan } from '../../lambda/telemetry/span.ts';
import { readTraceContext } from '../../lambda/telemetry/trace-context.ts';
import { type OtlpCollector, startOtlpCollector, valuesOf } from '../fixtures/otlp-collector.ts';

let collector: OtlpCollector;
beforeEach(async () => {
  collector = await startOtlpCollector();
});
afterEach(() => collector.close());

const span = (more: Partial<InvocationSpan> = {}): InvocationSpan => ({
  startMs: 1_700_000_000_000.25,
  endMs: 1_700_000_001_000,
  agent: 'mwc',
  sessionId: 'session-1',
  coldStart: false,
  parts: [],
  ...more,
});
const writer = () =>
  createOtlpWriter({ url: `${collector.url}/v1/traces`, headers: {}, timeoutMs: 5000 }, {});

describe('the writer', () => {
  test('writes 64-bit numbers as the protocol’s JSON has them', async () => {
    await writer()(span({ inputTokens: 12, outputTokens: 34, firstChunkMs: 2000 }), {});

    const [sent] = collector.posts[0]?.spans ?? [];
    expect(sent).toMatchObject({
      startTimeUnixNano: '1700000000000250000',
      endTimeUnixNano: '1700000001000000000',
    });
    expect(sent?.attributes).toContainEqual({ key: 'gen_ai.usage.input_tokens', value: { intValue: '12' } });
    expect(sent?.attributes).toContainEqual({ key: 'gen_ai.usage.output_tokens', value: { intValue: '34' } });
    // A whole number of seconds is a measure all the same.
    expect(sent?.attributes).toContainEqual({
      key: 'gen_ai.response.time_to_first_chunk',
      value: { doubleValue: 2 },
    });
  });

  test('sends what comes while it is sending in one post, and loses none', async () => {
    const write = writer();

    await Promise.all(Array.from({ length: 50 }, (_, i) => write(span({ agent: `agent-${i}` }), {})));

    const agents = collector.posts.flatMap(({ spans }) =>
      spans.map(({ attributes }) => valuesOf(attributes)),
    );
    expect(new Set(agents.map((values) => values['gen_ai.agent.id'])).size).toBe(50);
    expect(collector.posts.length).toBeLessThan(5);
  });

  test('goes on after a post that failed', async () => {
    const write = writer();
    collector.answer = 500;

    await expect(write(span(), {})).rejects.toThrow('the collector answered 500');
    collector.answer = 200;
    await write(span({ agent: 'after' }), {});

    expect(collector.posts).toHaveLength(2);
  });

  test('holds no more than it can, where a collector is slow', async () => {
    const write = writer();
    collector.answer = 'silent';

    const outcomes = Array.from({ length: 3000 }, () =>
      write(span(), {}).catch((error: Error) => error.message),
    );

    expect(await outcomes.at(-1)).toBe('the collector is too slow');
  });
});

describe('the trace of a request', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

  test.each([
    ['01', true],
    ['00', false],
    ['03', true],
  ])('is its caller’s, flags %s', (flags, isSampled) => {
    const context = readTraceContext({ traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` });

    expect(context).toEqual({ traceId, parentSpanId: '00f067aa0ba902b7', isSampled });
  });

  test('is Lambda’s, by the id that X-Ray gives it', () => {
    const xRayTraceId = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0';

    expect(readTraceContext({ xRayTraceId })).toEqual({
      traceId: '5759e988bd862e3fe1be46a994272793',
      parentSpanId: '53995c3f42cd8ad8',
      isSampled: true,
    });
  });

  test.each([
    ['nothing', undefined],
    ['zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['upper case', `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`],
    ['a text', 'me'],
  ])('begins where the caller sends %s', (_what, traceparent) => {
    const context = readTraceContext({ traceparent });

    expect(context).toEqual({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), isSampled: true });
    expect(context.traceId).not.toBe(readTraceContext({ traceparent }).traceId);
  });
});
