import { afterEach, describe, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import {
  type PeerThread,
  type PeerThreadOptions,
  standStill,
  startPeerThread,
} from '../fixtures/peer-thread.ts';
import { script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { askRaw } from '../fixtures/raw-peer.ts';
import { readSse, until } from '../fixtures/sse.ts';

let peer: PeerThread | undefined;

afterEach(async () => {
  await peer?.close();
  peer = undefined;
});

async function start(options: PeerThreadOptions): Promise<string> {
  peer = await startPeerThread(options);
  return peer.origin;
}

const FINE = { atMs: 0, text: 'fine' };
const END = { atMs: 0, text: '[DONE]' };
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('an event loop that stood still for longer than a limit judges only by what had come meanwhile', () => {
  test('to the upgrade', async () => {
    const origin = await start({ upgradeAfterMs: 300, says: [FINE, END] });

    standStill(100, 1500);
    const { failure, heard } = await askRaw(origin, { environment: { HANDSHAKE_TIMEOUT_MS: '1000' } });

    expect(failure).toBeUndefined();
    expect(heard).toEqual(['fine']);
  });

  test('to the prompt, for its first text', async () => {
    const origin = await start({
      says: [
        { ...FINE, atMs: 600 },
        { ...END, atMs: 650 },
      ],
    });

    standStill(300, 1500);
    const { failure, heard } = await askRaw(origin, { environment: { FIRST_CHUNK_TIMEOUT_MS: '1000' } });

    expect(failure).toBeUndefined();
    expect(heard).toEqual(['fine']);
  });

  test('to pings', async () => {
    const origin = await start({ says: [FINE, { ...END, atMs: 1700 }], pongsAtMs: 1100 });

    // Pings are sent after 400 and 800 ms; after 1,200 ms without a pong the agent is given up.
    standStill(1000, 600);
    const { failure, heard } = await askRaw(origin, { environment: { PING_INTERVAL_MS: '400' } });

    expect(failure).toBeUndefined();
    expect(heard).toEqual(['fine']);
  });

  test('and times out where nothing had', async () => {
    const origin = await start({ says: [] });

    standStill(100, 1500);
    const { failure } = await askRaw(origin, { environment: { FIRST_CHUNK_TIMEOUT_MS: '1000' } });

    expect(failure).toMatchObject({ code: 'AgentTimeout', promptSent: true });
  });
});

test('a function that is stopped in the middle of an answer, for longer than the idle limit, reads it to its end', async () => {
  const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
  const puppet = await startPuppetAgent();
  const system: System = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    environment: { IDLE_TIMEOUT_MS: '1000' },
  });
  try {
    const prompt = script(
      { send: 'one ' },
      { sleepMs: 500 },
      { send: 'two ' },
      { sleepMs: 200 },
      { send: 'three' },
      { send: '[DONE]' },
    );
    const body = JSON.stringify({ agentId: 'puppet', prompt });
    const response = await fetch(system.url, { method: 'POST', body });
    const pid = system.runtime.environments[0]?.pid ?? 0;

    process.kill(pid, 'SIGSTOP');
    await until(() => puppet.sent.length === 4, 'the agent has said everything');
    await sleep(1500);
    process.kill(pid, 'SIGCONT');
    const answer = await readSse(response);

    expect(answer.text).toBe('one two three');
    expect(answer.last).toMatchObject({ done: true });
  } finally {
    await system.close();
    await puppet.close();
  }
});
