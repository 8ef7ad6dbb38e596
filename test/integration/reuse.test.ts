import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { LOCAL_CREDENTIALS, type System, type SystemOptions, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';
import { testOn } from '../fixtures/test-on.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const RUNTIMES = (target: string) => [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target }];
const ok = script({ send: 'fine' }, { send: '[DONE]' });
const jumpFile = join(tmpdir(), `clock-jump-${process.pid}`);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let puppet: PuppetAgent;
let system: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
afterEach(async () => {
  rmSync(jumpFile, { force: true });
  await system.close();
});
afterAll(() => puppet.close());

async function start(environment: Record<string, string> = {}, more: SystemOptions = {}): Promise<void> {
  system = await startSystem({
    runtimes: RUNTIMES(puppet.target),
    environment,
    ...more,
  });
}

/** One turn; the environment is idle, and frozen, again when it resolves. */
async function turn(sessionId: string, prompt = ok, agentId = 'puppet'): Promise<string> {
  const { text, last, raw } = await invokeSse(system.url, { agentId, prompt, sessionId });
  await until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'all is idle');
  return last.done ? text : raw;
}

const upgrades = () => system.dataPlane.requests.length;
const logged = (text: string) => system.logs.some(({ line }) => line.includes(text));

describe('a kept connection', () => {
  test('serves the next turn of its session, and no other session', async () => {
    await start();
    const [one, other] = [newSessionId(), newSessionId()];

    expect([await turn(one), await turn(one), await turn(other), await turn(one)]).toEqual(
      Array(4).fill('fine'),
    );

    expect(upgrades()).toBe(2);
    expect(system.runtime.environments).toHaveLength(1);
  });

  test('serves no other agent, though the session is the same', async () => {
    const other = await startPuppetAgent();
    const otherArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Other-0123456789';
    await start(
      {},
      {
        runtimes: [
          ...RUNTIMES(puppet.target),
          { id: 'other', name: 'OtherAgent', runtimeArn: otherArn, target: other.target },
        ],
      },
    );
    const sessionId = newSessionId();

    expect([await turn(sessionId), await turn(sessionId, ok, 'other')]).toEqual(['fine', 'fine']);

    expect(upgrades()).toBe(2);
    expect(other.prompts.map((prompt) => prompt.sessionId)).toEqual([sessionId]);
    await other.close();
  });

  test('serves no other endpoint of its runtime, though the session is the same', async () => {
    const qualifiers = ['DEFAULT', 'canary'];
    await start(
      {},
      {
        runtimes: RUNTIMES(puppet.target).flatMap((runtime) => [
          { ...runtime, qualifiers },
          { ...runtime, id: 'canary', name: 'CanaryAgent', qualifier: 'canary', qualifiers },
        ]),
      },
    );
    const sessionId = newSessionId();

    expect([await turn(sessionId), await turn(sessionId, ok, 'canary')]).toEqual(['fine', 'fine']);

    expect(
      system.dataPlane.requests.map(({ path }) => new URL(path, 'http://x').searchParams.get('qualifier')),
    ).toEqual(qualifiers);
  });

  test.each([
    ['a fragment of a message', [0x01, 2, 0x61, 0x62]],
    ['half a frame', [0x81, 5, 0x61]],
  ])('behind whose answer %s stands is not used again', async (_what, bytes) => {
    await start();
    const sessionId = newSessionId();
    const raw = Buffer.from([0x81, 6, ...Buffer.from('[DONE]'), ...bytes]).toString('base64');
    await turn(sessionId, script({ send: 'one' }, { sleepMs: 50 }, { raw }));

    expect(await turn(sessionId)).toBe('fine');

    expect(upgrades()).toBe(2);
  });

  test('is pinged after a gap, and used when it answers', async () => {
    await start({ PING_INTERVAL_MS: '100' });
    const sessionId = newSessionId();
    await turn(sessionId);
    await sleep(400);
    const before = puppet.pings.length;

    expect(await turn(sessionId)).toBe('fine');

    expect(upgrades()).toBe(1);
    // The one whose answer was waited for has a token in it; those that only keep a connection alive are empty.
    expect(puppet.pings.slice(before).filter(({ length }) => length > 0)).toHaveLength(1);
  });

  test('is used without a ping where there was no gap', async () => {
    await start();
    const sessionId = newSessionId();
    await turn(sessionId);
    const before = puppet.pings.length;

    expect(await turn(sessionId)).toBe('fine');

    expect(upgrades()).toBe(1);
    expect(puppet.pings).toHaveLength(before);
  });

  // A server is never frozen: its pings keep the connection.
  testOn('function-url')(
    'that the service has dropped in the meantime costs a new one, and nobody notices',
    async () => {
      await start({ PING_INTERVAL_MS: '100' }, { dataPlane: { quotas: { idleTimeoutMs: 300 } } });
      const sessionId = newSessionId();
      await turn(sessionId);
      await sleep(800);

      expect(await turn(sessionId)).toBe('fine');
      expect(upgrades()).toBe(2);
      await until(() => logged('Connection discarded'), 'the discard is logged');
    },
  );

  test('whose peer is gone without a word is replaced after 50 ms, not after a timeout', async () => {
    await start({ PING_INTERVAL_MS: '100', PONG_TIMEOUT_MS: '3000' }, { network: {} });
    const sessionId = newSessionId();
    await turn(sessionId);
    system.network?.swallowOpen();
    await sleep(300);
    const startedAt = performance.now();

    const text = await turn(sessionId);

    const tookMs = performance.now() - startedAt;
    expect(text).toBe('fine');
    expect(tookMs).toBeGreaterThan(45);
    expect(tookMs).toBeLessThan(2500);
    expect(upgrades()).toBe(2);
  });

  test('serves on when the credentials that opened it have expired', async () => {
    const credentials = { ...LOCAL_CREDENTIALS, expired: false };
    await start({}, { credentials: [credentials] });
    const sessionId = newSessionId();
    await turn(sessionId);
    credentials.expired = true;

    expect(await turn(sessionId)).toBe('fine');
    expect(await turn(newSessionId())).toMatch(/Unauthenticated/);
    expect(upgrades()).toBe(2);
  });

  test.each([
    ['has been idle for too long', 10, {}, 'idle'],
    // A kept connection may be 55 minutes old; an answer that takes 15 would not end on it within AgentCore's hour.
    ['is so old that an answer might outlast it', 46, { POOL_MAX_IDLE_MS: '3600000' }, 'age'],
  ])(
    '%s after the wall clock has jumped by %i min, whatever timers say',
    async (_what, minutes, limits, reason) => {
      await start(
        { ...limits, CLOCK_JUMP_FILE: jumpFile },
        {
          runtime: {
            preload: [pathToFileURL(join(import.meta.dirname, '../fixtures/clock-jump.mjs')).href],
            // The deadline is by the same clock.
            timeoutMs: 3_600_000,
          },
        },
      );
      const sessionId = newSessionId();
      await turn(sessionId);
      writeFileSync(jumpFile, String(minutes * 60_000));

      expect(await turn(sessionId)).toBe('fine');

      expect(upgrades()).toBe(2);
      await until(() => logged(`"reason":"${reason}"`), 'it was discarded for that');
    },
  );

  test('of a process that is awake is closed after its time, without another request', async () => {
    await start({ POOL_MAX_IDLE_MS: '400', PING_INTERVAL_MS: '100' }, { runtime: { freeze: false } });
    const sessionId = newSessionId();
    await turn(sessionId);
    await until(() => system.dataPlane.connections.size === 0, 'it is closed');

    expect(upgrades()).toBe(1);
    await until(() => logged('Connection discarded'), 'that is logged');
    const lineOf = (message: string) =>
      JSON.parse(system.logs.find(({ line }) => line.includes(message))?.line ?? '');
    const [opened, discarded] = [lineOf('Connection opened'), lineOf('Connection discarded')];
    expect(discarded).toMatchObject({ reason: 'idle', agent: 'puppet', session_id: sessionId });
    expect(Date.parse(discarded.timestamp) - Date.parse(opened.timestamp)).toBeGreaterThanOrEqual(400);
  });

  test('on which the agent talks after the end is not used again', async () => {
    await start();
    const sessionId = newSessionId();
    await turn(sessionId, script({ send: 'one' }, { send: '[DONE]' }, { sleepMs: 100 }, { send: 'late' }));
    await sleep(250);

    expect(await turn(sessionId)).toBe('fine');
    expect(upgrades()).toBe(2);
  });

  test.each([
    ['at once', []],
    ['later', [{ sleepMs: 100 }]],
  ])(
    'is used again where the agent marks the end a second time, %s, in a message of its own',
    async (_when, pause) => {
      await start();
      const sessionId = newSessionId();
      const answer = script(
        { send: '{"type":"start"}' },
        { send: '{"type":"text-delta","id":"t","delta":"fine"}' },
        { send: '{"type":"finish"}' },
        ...pause,
        { send: '[DONE]' },
      );

      expect([await turn(sessionId, answer), await turn(sessionId, answer)]).toEqual(['fine', 'fine']);
      await sleep(250);

      expect(await turn(sessionId)).toBe('fine');
      expect(upgrades()).toBe(1);
    },
  );

  test('is not kept after a failure, nor where the agent closes, nor with reuse off', async () => {
    await start();
    await turn(newSessionId(), script({ send: '{"error":"no"}' }));
    await turn(newSessionId(), script({ send: 'text' }, { close: 1000 }));
    await until(() => system.dataPlane.connections.size === 0, 'no socket is left');
    await system.close();

    await start({ POOL_MAX_CONNECTIONS: '0' });
    await turn(newSessionId());
    await until(() => system.dataPlane.connections.size === 0, 'no socket is left');
  });
});

test('a second request of a session, while the first runs, has an environment of its own and does not wait', async () => {
  await start();
  const sessionId = newSessionId();
  const slow = script({ send: 'slow' }, { sleepMs: 3000 }, { send: '[DONE]' });

  const first = invokeSse(system.url, { agentId: 'puppet', prompt: slow, sessionId });
  await until(() => puppet.prompts.at(-1)?.sessionId === sessionId, 'the first one runs');
  const second = await invokeSse(system.url, { agentId: 'puppet', prompt: ok, sessionId });
  const states = system.runtime.environments.map(({ state }) => state);

  expect(second.text).toBe('fine');
  expect(states[0]).toBe('busy');
  expect(states).toHaveLength(2);
  expect((await first).text).toBe('slow');
  expect(upgrades()).toBe(2);
});
