import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const POST = 'POST /api HTTP/1.1\r\nHost: a\r\n';

let puppet: PuppetAgent;
let system: System;

/** One server for all of them, which gives a request's head 300 ms and the whole request 1,200 ms. */
beforeAll(async () => {
  puppet = await startPuppetAgent();
  system = await startSystem({
    host: 'server',
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    runtime: { preload: [join(import.meta.dirname, '../fixtures/hasty-server.mjs')] },
  });
});
afterAll(async () => {
  await system?.close();
  await puppet?.close();
});

/** Writes a part of a request, again and again if it is to drip, until the server closes the connection. */
function writeSlowly(part: string, drip = ''): Promise<{ answer: string; afterMs: number }> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let answer = '';
    let dripping: NodeJS.Timeout | undefined;
    const socket = connect(Number(new URL(system.url).port), '127.0.0.1', () => {
      socket.write(part);
      dripping = setInterval(() => drip && socket.write(drip), 50);
    });
    socket.on('data', (data) => {
      answer += data;
    });
    // What drips into a connection that was closed is refused.
    socket.on('error', () => {});
    socket.once('close', () => {
      clearInterval(dripping);
      resolve({ answer, afterMs: performance.now() - startedAt });
    });
  });
}

describe('a request that never ends', () => {
  test.each([
    ['without a byte', '', '', 300],
    ['in its first line', 'POST /api HT', '', 300],
    ['in its headers, of which one comes after the other', POST, 'X-More: 1\r\n', 300],
    ['in a body that does not begin', `${POST}Content-Length: 100\r\n\r\n`, '', 1200],
    ['in a body that comes letter by letter', `${POST}Content-Length: 100000\r\n\r\n{`, ' ', 1200],
    ['in a chunked body', `${POST}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n', 1200],
  ])('%s is closed when its time is over, and not before', async (_where, part, drip, limitMs) => {
    const { answer, afterMs } = await writeSlowly(part, drip);

    expect(answer).toMatch(/^(HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n\r\n)?$/);
    // Timers may be a millisecond early.
    expect(afterMs).toBeGreaterThan(limitMs - 5);
  });

  test('asks no agent, is nobody’s failure, and keeps no place', async () => {
    await writeSlowly(`${POST}Content-Length: 100\r\n\r\n`);

    const ended = () => system.logs.filter(({ line }) => line.includes('"Answer cancelled"'));
    await until(() => ended().length > 0, 'the log says that it is over');
    expect(puppet.prompts).toEqual([]);
    expect(system.logs.filter(({ line }) => line.includes('"level":"ERROR"'))).toEqual([]);
    expect(system.runtime.environments.map(({ state }) => state)).toEqual(['idle']);
  });

  test('keeps nobody else waiting', async () => {
    const slow = Array.from({ length: 50 }, () => writeSlowly(`${POST}Content-Length: 100\r\n\r\n`));

    expect((await fetch(`${system.url}/health`)).status).toBe(200);
    await Promise.all(slow);
  });
});

test('an answer may take longer than its request', async () => {
  const silent = script({ send: 'a' }, { sleepMs: 2500 }, { send: 'b' }, { send: '[DONE]' });

  const { text, last } = await invokeSse(system.url, { agentId: 'puppet', prompt: silent });

  expect(text).toBe('ab');
  expect(last).toMatchObject({ done: true });
});

test('the server allows 15 s and 60 s, and looks every second', () => {
  const lines = system.logs.map(({ line }) => JSON.parse(line) as Record<string, unknown>);

  expect(lines.find(({ told }) => told !== undefined)?.told).toEqual({
    headersTimeout: 15_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 1000,
  });
});
