import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { esbuildOptions, wholeBuiltins } from '../../lib/bundling.ts';
import { type FunctionUrl, startFunctionUrl } from '../../local/aws/function-url.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, type Step, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';
import {
  newTrace,
  type SentSubsegment,
  type Subsegment,
  startXRayDaemon,
  type TraceHeader,
  type XRayDaemon,
} from '../fixtures/xray-daemon.ts';

const root = resolve(import.meta.dirname, '../..');
const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
/** Longer than a datagram on its way needs. */
const SETTLE_MS = 200;

let daemon: XRayDaemon;
let puppet: PuppetAgent;
let system: System;
let functionUrl: FunctionUrl;
/** The trace of the next invocation. */
let trace: TraceHeader;

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
afterAll(() => puppet.close());

async function start(environment: Record<string, string> = {}): Promise<void> {
  daemon = await startXRayDaemon();
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    environment: { AWS_XRAY_DAEMON_ADDRESS: daemon.address, IDLE_TIMEOUT_MS: '300', ...environment },
  });
  functionUrl = await startFunctionUrl({
    runtime: { invoke: (event) => system.runtime.invoke(event, { traceId: trace.header }) },
  });
}

afterEach(async () => {
  await functionUrl?.close();
  await system?.close();
  await daemon?.close();
});

const slow: Step[] = [
  { sleepMs: 100 },
  { send: 'one' },
  { sleepMs: 150 },
  { send: 'two' },
  { send: '[DONE]' },
];

interface Asked {
  trace: TraceHeader;
  sessionId: string;
  requestId: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt: number;
}

/** Invokes, and waits until the environment is idle again. */
async function ask(next: TraceHeader, steps: Step[] = slow, path = '/'): Promise<Asked> {
  trace = next;
  const sessionId = newSessionId();
  const startedAt = Date.now();
  const body = JSON.stringify({ agentId: 'puppet', prompt: script(...steps), sessionId });
  const response = await fetch(functionUrl.url + path, { method: 'POST', body });
  await response.text();
  const endedAt = Date.now();
  await until(
    () => system.runtime.environments.every(({ state }) => state === 'idle'),
    'the environment is idle',
  );
  return {
    trace,
    sessionId,
    requestId: response.headers.get('x-amzn-requestid') ?? '',
    startedAt,
    endedAt,
  };
}

/** What the daemon got of a trace; there is one document of each. */
async function sentOf({ root: traceId }: TraceHeader): Promise<SentSubsegment> {
  const ofTrace = () => daemon.documents.filter((document) => document.trace_id === traceId);
  await until(() => ofTrace().length > 0, 'the daemon has the trace');
  expect(ofTrace()).toHaveLength(1);
  return ofTrace()[0] as SentSubsegment;
}

const child = ({ subsegments = [] }: Subsegment, name: string) =>
  subsegments.find((subsegment) => subsegment.name === name);
const lengthMs = ({ start_time, end_time }: Subsegment) => (end_time - start_time) * 1000;

describe('a sampled invocation', () => {
  test('hands its own trace on to the agent, also when the tracer has been loaded', async () => {
    await start();

    const traces = [(await ask(newTrace())).trace, (await ask(newTrace())).trace];

    const handedOn = system.dataPlane.requests.map(({ headers }) => headers['x-amzn-trace-id']);
    expect(handedOn).toEqual(traces.map(({ header }) => header));
  });

  test('sends one subsegment with connect, first chunk and stream, in its trace and below its parent', async () => {
    await start();

    const { trace, sessionId } = await ask(newTrace());

    const sent = await sentOf(trace);
    expect(sent).toMatchObject({
      name: '## invoke',
      type: 'subsegment',
      trace_id: trace.root,
      parent_id: trace.parent,
      annotations: { agent: 'puppet', session: sessionId, ColdStart: true },
    });
    expect(sent).not.toHaveProperty('fault');
    expect(sent).not.toHaveProperty('in_progress');
    expect(sent.subsegments?.map(({ name }) => name)).toEqual(['connect', 'first chunk', 'stream']);
    expect(daemon.documents).toHaveLength(1);
  });

  test('has the times that the caller saw, one part after the other', async () => {
    await start();

    const { trace, startedAt, endedAt } = await ask(newTrace());

    const sent = await sentOf(trace);
    const parts = ['connect', 'first chunk', 'stream'].map((name) => child(sent, name) as Subsegment);
    const [connect, firstChunk, stream] = parts as [Subsegment, Subsegment, Subsegment];
    // The clocks of two processes are the same one, but for rounding.
    expect(sent.start_time * 1000).toBeGreaterThan(startedAt - 2);
    expect(sent.end_time * 1000).toBeLessThan(endedAt + 20);
    expect(connect.start_time).toBeGreaterThanOrEqual(sent.start_time);
    expect(firstChunk.start_time).toBeGreaterThanOrEqual(connect.end_time);
    expect(stream.start_time).toBeCloseTo(firstChunk.end_time, 3);
    expect(stream.end_time).toBeLessThanOrEqual(sent.end_time + 0.001);
    for (const part of parts) expect(lengthMs(part)).toBeGreaterThanOrEqual(0);
    expect(lengthMs(firstChunk)).toBeGreaterThan(95);
    expect(lengthMs(stream)).toBeGreaterThan(145);
  });

  test('is as long as its log line says, not longer by the loading of the tracer', async () => {
    await start();

    const { trace, requestId } = await ask(newTrace());

    const sent = await sentOf(trace);
    const line = system.logs
      .map((entry) => JSON.parse(entry.line))
      .find((entry) => entry.function_request_id === requestId && entry.outcome);
    expect(Math.abs(lengthMs(sent) - line.duration_ms)).toBeLessThan(15);
  });

  test('of an environment that has served one already has its own trace id, and is no cold start', async () => {
    await start();
    const first = await ask(newTrace());
    const second = await ask(newTrace());

    const [{ parent_id: firstParent }, sent] = [await sentOf(first.trace), await sentOf(second.trace)];

    expect(system.runtime.environments).toHaveLength(1);
    expect(firstParent).toBe(first.trace.parent);
    expect(sent).toMatchObject({
      parent_id: second.trace.parent,
      annotations: { session: second.sessionId, ColdStart: false },
    });
    expect(sent.subsegments?.map(({ name }) => name)).toEqual(['connect', 'first chunk', 'stream']);
  });

  test('after one that was not sampled, and before another, is the only one that is sent', async () => {
    await start();
    await ask(newTrace(0));
    const { trace } = await ask(newTrace(1));
    await ask(newTrace(0));

    const sent = await sentOf(trace);

    expect(sent.parent_id).toBe(trace.parent);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    expect(daemon.documents).toHaveLength(1);
  });

  test('that was frozen in between has times of today', async () => {
    await start();
    await ask(newTrace());
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { trace, startedAt, endedAt } = await ask(newTrace());

    const sent = await sentOf(trace);

    expect(sent.start_time * 1000).toBeGreaterThan(startedAt - 2);
    expect(sent.end_time * 1000).toBeLessThan(endedAt + 20);
  });
});

describe('a sampled invocation that fails', () => {
  test('has its code as a fault', async () => {
    await start({ MAX_RETRIES: '0' });
    system.dataPlane.fault(runtimeArn, FAULTS.refuse(503), 1);

    const { trace } = await ask(newTrace());

    const sent = await sentOf(trace);
    expect(sent).toMatchObject({ name: '## invoke', fault: true });
    expect(sent.cause?.exceptions?.map(({ message }) => message)).toEqual(['AgentUnavailable']);
    // There was no connection.
    expect(sent).not.toHaveProperty('subsegments');
  });

  test('while it streams has its code as a fault, and the parts that there were', async () => {
    await start();

    const { trace } = await ask(newTrace(), [{ send: 'half' }, { sleepMs: 30 }, { drop: true }]);

    const sent = await sentOf(trace);
    expect(sent.fault).toBe(true);
    expect(sent.cause?.exceptions?.map(({ message }) => message)).toEqual(['AgentInterrupted']);
    expect(sent.subsegments?.map(({ name }) => name)).toEqual(['connect', 'first chunk', 'stream']);
  });
});

describe('nothing is sent', () => {
  test.each<[string, Record<string, string>, 0 | 1]>([
    ['of an invocation that is not sampled', {}, 0],
    ['where tracing is switched off', { POWERTOOLS_TRACE_ENABLED: 'false' }, 1],
  ])('%s', async (_when, environment, sampled) => {
    await start(environment);

    await ask(newTrace(sampled));
    await ask(newTrace(sampled));

    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    expect(daemon.datagrams).toEqual([]);
  });
});

test('without a daemon an invocation is answered all the same, and nothing of it is in the log', async () => {
  await start({ AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:9' });

  const { requestId } = await ask(newTrace());
  await ask(newTrace());

  expect(requestId).not.toBe('');
  expect(system.runtime.environments).toHaveLength(1);
  expect(system.logs.filter(({ stream }) => stream !== 'stdout')).toEqual([]);
});

describe('the stand-in for cls-hooked', () => {
  let folder: string;
  const bundles: Record<string, string> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tracing-'));
    const stand = { 'cls-hooked/context': join(root, 'lambda/telemetry/cls.ts') };
    for (const [name, alias] of Object.entries({ 'stand-in': stand, original: {} })) {
      const outfile = join(folder, `${name}.mjs`);
      await build({
        ...esbuildOptions,
        absWorkingDir: root,
        entryPoints: [join(root, 'lambda/telemetry/tracing.ts')],
        outfile,
        plugins: [wholeBuiltins],
        alias,
        logLevel: 'error',
      });
      bundles[name] = outfile;
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Two invocations in a process of its own. */
  async function traceTwice(bundle: string): Promise<{ sent: SentSubsegment[]; awaitsMs: number }> {
    const listener = await startXRayDaemon();
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [join(root, 'test/fixtures/trace-twice.ts'), bundles[bundle] ?? ''],
        {
          env: {
            AWS_XRAY_DAEMON_ADDRESS: listener.address,
            AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
            LAMBDA_TASK_ROOT: folder,
            AWS_REGION: 'us-east-1',
            AWS_LAMBDA_FUNCTION_NAME: 'traced',
            PATH: process.env.PATH ?? '',
          },
        },
      );
      await until(() => listener.documents.length >= 2, 'both traces have come');
      return { sent: listener.documents, ...(JSON.parse(stdout) as { awaitsMs: number }) };
    } finally {
      await listener.close();
    }
  }

  /** Without what differs from one run to the next: ids, and where it ran. */
  const essence = (documents: SentSubsegment[]) =>
    JSON.parse(
      JSON.stringify(documents, (key, value) =>
        ['id', 'trace_id', 'parent_id', 'working_directory'].includes(key) ? undefined : value,
      ),
    ) as unknown;

  test('yields the segments that cls-hooked yields, and does not slow awaits down as that does', async () => {
    const ours = await traceTwice('stand-in');
    const theirs = await traceTwice('original');

    expect(ours.sent).toHaveLength(2);
    expect(essence(ours.sent)).toEqual(essence(theirs.sent));
    expect(new Set(ours.sent.map(({ trace_id }) => trace_id)).size).toBe(2);
    expect(new Set(theirs.sent.map(({ trace_id }) => trace_id)).size).toBe(2);
    // Measured: twenty times and more.
    expect(theirs.awaitsMs / ours.awaitsMs).toBeGreaterThan(3);
  });
});
