import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import {
  type OtlpCollector,
  type OtlpSpan,
  startOtlpCollector,
  valuesOf,
} from '../fixtures/otlp-collector.ts';
import { type PuppetAgent, type Step, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const CANARY = 'canary-of-the-prompt-9917';

let collector: OtlpCollector;
let puppet: PuppetAgent;
let system: System;

beforeEach(async () => {
  collector = await startOtlpCollector();
  puppet = await startPuppetAgent();
});
afterEach(async () => {
  await system?.close();
  await puppet.close();
  await collector.close();
});

async function start(environment: Record<string, string> = {}): Promise<void> {
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...environment },
  });
}

const STEPS: Step[] = [
  { sleepMs: 60 },
  { send: CANARY },
  { sleepMs: 60 },
  { send: 'two' },
  { send: '[DONE]' },
];

async function ask(steps: Step[] = STEPS, headers: Record<string, string> = {}): Promise<string> {
  const sessionId = newSessionId();
  const body = JSON.stringify({ agentId: 'puppet', prompt: script(...steps), sessionId });
  const response = await fetch(system.url, { method: 'POST', body, headers });
  await response.text();
  await until(
    () => system.runtime.environments.every(({ state }) => state === 'idle'),
    'the environment is idle',
    10_000,
  );
  return sessionId;
}

const lines = (message: string) => system.logs.filter(({ line }) => line.includes(`"${message}"`));
const root = ({ spans }: { spans: OtlpSpan[] } = { spans: [] }) =>
  spans.find(({ name }) => name.startsWith('invoke_agent')) as OtlpSpan;

test('an answer is a span of the conventions, with its parts below it, in one post', async () => {
  await start();
  const startedAt = Date.now();

  const sessionId = await ask();

  expect(collector.posts).toHaveLength(1);
  const [post] = collector.posts;
  expect(post?.path).toBe('/v1/traces');
  expect(post?.headers['content-type']).toBe('application/json');
  expect(post?.resource).toEqual({
    'service.name': 'agentcore-stream',
    'deployment.environment.name': 'local',
  });
  const span = root(post);
  expect(span).toMatchObject({ name: 'invoke_agent puppet', kind: 3 });
  expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(valuesOf(span.attributes)).toMatchObject({
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.provider.name': 'aws.bedrock',
    'gen_ai.agent.id': 'puppet',
    'gen_ai.conversation.id': createHash('sha256').update(sessionId).digest('hex'),
    'faas.coldstart': true,
  });
  expect(valuesOf(span.attributes)).not.toHaveProperty('error.type');
  const children = (post?.spans ?? []).filter(({ parentSpanId }) => parentSpanId === span.spanId);
  expect(children.map(({ name }) => name)).toEqual(['connect', 'first chunk', 'stream']);
  const at = (nano: string) => Number(BigInt(nano) / 1_000_000n);
  // The clocks of two processes are the same one, but for rounding.
  expect(at(span.startTimeUnixNano)).toBeGreaterThan(startedAt - 5);
  expect(at(children[1]?.endTimeUnixNano ?? '0') - at(span.startTimeUnixNano)).toBeGreaterThanOrEqual(60);
  expect(Number(valuesOf(span.attributes)['gen_ai.response.time_to_first_chunk'])).toBeGreaterThanOrEqual(
    0.06,
  );
});

test('no prompt, answer, credential or session id is in it', async () => {
  await start({ OTEL_EXPORTER_OTLP_HEADERS: 'X-Api-Key=key%201,other=2' });

  const sessionId = await ask();

  const [post] = collector.posts;
  expect(post?.headers).toMatchObject({ 'x-api-key': 'key 1', other: '2' });
  for (const secret of [CANARY, sessionId, 'local-secret-access-key', 'local-session-token']) {
    expect(post?.body).not.toContain(secret);
  }
});

test('a failure is an error by its code, and says no more', async () => {
  await start();

  await ask([{ send: JSON.stringify({ type: 'error', message: CANARY }) }]);

  const [failed] = collector.posts;
  expect(root(failed).status).toEqual({ code: 2, message: 'AgentFailed' });
  expect(valuesOf(root(failed).attributes)).toMatchObject({ 'error.type': 'AgentFailed' });
  expect(failed?.body).not.toContain(CANARY);
});

test('a request with a traceparent belongs to its trace, and is left out where that is not sampled', async () => {
  await start();
  const [traceId, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

  await ask(STEPS, { traceparent: `00-${traceId}-${parent}-00` });
  await ask(STEPS, { traceparent: `00-${traceId}-${parent}-01` });

  expect(collector.posts).toHaveLength(1);
  expect(root(collector.posts[0])).toMatchObject({ traceId, parentSpanId: parent });
});

test.each<[string, number | 'silent', string]>([
  ['refuses', 503, 'the collector answered 503'],
  ['says nothing', 'silent', 'the collector did not answer within 200 ms'],
])('a collector that %s costs no answer, and is told of once', async (_what, answer, reason) => {
  await start({ OTEL_EXPORTER_OTLP_TIMEOUT: '200' });
  collector.answer = answer;

  await ask();
  await ask();

  await until(() => lines('Traces are lost').length > 0, 'it is told');
  expect(lines('Traces are lost')).toHaveLength(1);
  expect(lines('Traces are lost')[0]?.line).toContain(reason);
  expect(lines('Answer finished')).toHaveLength(2);
  expect(collector.posts).toHaveLength(2);
});
