import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { BUNDLE_FOLDER } from '../../lib/bundle.ts';
import { type FunctionUrl, startFunctionUrl } from '../../local/aws/function-url.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, type SystemOptions, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';
import { newTrace } from '../fixtures/xray-daemon.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const answer = script({ send: 'one' }, { send: '[DONE]' });

type Line = Record<string, unknown>;

let puppet: PuppetAgent;
let system: System;
let sampled: FunctionUrl | undefined;

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
afterAll(() => puppet.close());
afterEach(async () => {
  await sampled?.close();
  sampled = undefined;
  await system?.close();
});

async function start(options: SystemOptions = {}): Promise<void> {
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    ...options,
  });
}

const idle = () =>
  until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'the environment is idle');
const ask = async (prompt = answer, url = system.url) => {
  const received = await invokeSse(url, { agentId: 'puppet', prompt, sessionId: newSessionId() });
  await idle();
  return received;
};
/** What a process has printed may still be on its way. */
const told = (message: string, times = 1) =>
  until(() => lines().filter((line) => line.message === message).length >= times, message, 10_000);
const lines = () =>
  system.logs.flatMap(({ stream, line }) => (stream === 'platform' ? [] : [JSON.parse(line) as Line]));
const lineOf = (message: string) => lines().find((line) => line.message === message);
const summaries = () => lines().filter((line) => line.outcome !== undefined && line.level !== undefined);
const sumOf = (metric: string) =>
  lines()
    .filter((line) => '_aws' in line && !('agent' in line))
    .reduce((sum, line) => sum + Number(line[metric] ?? 0), 0);

describe('the first invocation of an environment', () => {
  test('has left its lines when the process is killed under it', async () => {
    await start();

    const asked = ask(script({ send: 'one' }, { sleepMs: 60_000 })).catch(() => {});
    await until(() => lineOf('Connection opened') !== undefined, 'the connection is open', 20_000);
    process.kill(system.runtime.environments[0]?.pid ?? 0, 'SIGKILL');
    await asked;

    expect(lineOf('Request')).toMatchObject({ level: 'INFO', agent: 'puppet', cold_start: true });
    expect(lineOf('Connection opened')).toMatchObject({ level: 'INFO', cold_start: true });
  });

  test('has lines with the times of what they tell', async () => {
    await start();

    await ask(script({ sleepMs: 400 }, { send: 'one' }, { send: '[DONE]' }));
    await told('Answer finished');

    const at = (message: string) => Date.parse(String(lineOf(message)?.timestamp));
    expect(at('Answer finished') - at('Request')).toBeGreaterThan(350);
    expect(at('Answer finished') - at('Connection opened')).toBeGreaterThan(350);
  });

  test('has its connection counted that was given up before there were metrics', async () => {
    await start();

    // What comes after the end makes the kept connection unfit.
    await ask(script({ send: 'one' }, { send: '[DONE]' }, { sleepMs: 5 }, { send: 'late' }));
    // Where the environment is frozen before that is read, it is read in the next invocation.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await ask();
    await ask();
    await told('Answer finished', 3);
    await until(() => sumOf('InvocationCount') === 3, 'all three are counted', 10_000);

    expect(lineOf('Connection discarded')).toMatchObject({ level: 'INFO', reason: 'disturbed' });
    expect(sumOf('ConnectionsDiscarded')).toBe(1);
  });

  test('is logged from the level on that Lambda was told', async () => {
    await start({ environment: { AWS_LAMBDA_LOG_LEVEL: 'WARN', MAX_RETRIES: '1', RETRY_BASE_MS: '1' } });
    system.dataPlane.fault(runtimeArn, FAULTS.refuse(503), 1);

    await ask();
    await told('Attempt failed, trying again');
    await until(() => sumOf('InvocationCount') === 1, 'it is counted', 10_000);

    const messages = lines().flatMap(({ message }) => message ?? []);
    expect(messages).toEqual(['Attempt failed, trying again']);
  });
});

describe('telemetry that is broken', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'broken-telemetry-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const bundleWithBroken = (name: string): string => {
    const copy = join(folder, name);
    cpSync(BUNDLE_FOLDER, copy, { recursive: true });
    writeFileSync(join(copy, `${name}.mjs`), 'throw new Error("this bundle is broken");');
    return copy;
  };

  test.each(['powertools', 'tracing'])(
    '(%s cannot be loaded) costs no answer and no environment, and is told of in one line each time',
    async (name) => {
      await start({ runtime: { folder: bundleWithBroken(name) } });
      sampled = await startFunctionUrl({
        runtime: { invoke: (event) => system.runtime.invoke(event, { traceId: newTrace().header }) },
      });

      const first = await ask(answer, sampled.url);
      const second = await ask(answer, sampled.url);

      const failed = () => lines().filter(({ message }) => message === 'Telemetry failed');
      await told('Telemetry failed', 2);
      expect([first.last, second.last]).toMatchObject([{ done: true }, { done: true }]);
      expect(system.runtime.environments).toHaveLength(1);
      expect(system.runtime.environments[0]?.invocations).toBe(2);
      expect(summaries()).toMatchObject([{ outcome: 'complete' }, { outcome: 'complete' }]);
      expect(failed()).toMatchObject([
        { level: 'ERROR', error: { message: 'this bundle is broken' } },
        { level: 'ERROR', error: { message: 'this bundle is broken' } },
      ]);
      expect(system.logs.filter(({ stream }) => stream === 'platform')).toEqual([]);
    },
  );
});
