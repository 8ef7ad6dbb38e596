import { EventEmitter, once } from 'node:events';
import { queryObjects } from 'node:v8';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Connection } from '../../lambda/agentcore/connection.ts';
import type { ConnectionPool } from '../../lambda/agentcore/pool.ts';
import { dial } from '../../lambda/agentcore/socket.ts';
import { TRANSPORTS } from '../../lambda/agentcore/transports.ts';
import { upgrade } from '../../lambda/agentcore/upgrade.ts';
import { whenWaitingInputIsRead } from '../../lambda/agentcore/waiting-input.ts';
import type { Agent } from '../../lambda/agents.ts';
import type { ResponseStream } from '../../lambda/answer/response.ts';
import { answerInvoke } from '../../lambda/http/invoke.ts';
import { callOf } from '../fixtures/call.ts';
import {
  type AskOptions,
  askRaw,
  closeFrame,
  frame,
  RawPeer,
  textFrame,
  upstreamOf,
} from '../fixtures/raw-peer.ts';

let peer: RawPeer;

beforeEach(async () => {
  peer = new RawPeer();
  await peer.listen();
});
afterEach(() => peer.close());

const ask = (options?: AskOptions) => askRaw(peer.origin, options);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('what stands in the segment of the answer to the upgrade', () => {
  test('is part of the answer', async () => {
    peer.withUpgrade = textFrame('Welcome. ');
    peer.answer = Buffer.concat([textFrame('Hello.'), textFrame('[DONE]')]);

    const { failure, heard } = await ask();

    expect(failure).toBeUndefined();
    expect(heard).toEqual(['Welcome. ', 'Hello.']);
  });

  test.each<[string, Buffer, string, Record<string, unknown>]>([
    ['no WebSocket frame', Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), 'broke the WebSocket protocol', {}],
    ['a close with 1011', closeFrame(1011), 'the agent failed', { agentError: { code: 1011 } }],
    [
      'a close with 1008 and a reason',
      closeFrame(1008, 'quota of the tenant'),
      'the agent failed',
      { agentError: { code: 1008, message: 'quota of the tenant' } },
    ],
  ])('is told as the failure of the agent that it is: %s', async (_what, withUpgrade, message, details) => {
    peer.withUpgrade = withUpgrade;

    const { failure, record } = await ask();

    expect(failure).toMatchObject({
      code: 'AgentFailed',
      message: expect.stringContaining(message),
      details,
    });
    expect(peer.sockets).toHaveLength(1);
    expect(record).toMatchObject({ connectionsOpened: 1, retries: 0 });
  });
});

test('what stands behind a close frame in its segment does not make the close unclean', async () => {
  peer.answer = Buffer.concat([
    textFrame('Hello.'),
    closeFrame(1000),
    textFrame('too late'),
    Buffer.from([0x01, 0x05, 0x61]),
  ]);

  const { failure, heard } = await ask();

  expect(failure).toBeUndefined();
  expect(heard).toEqual(['Hello.']);
});

test('an exception of our own in the middle of an answer is no failure of the agent', async () => {
  peer.answer = Buffer.concat([textFrame('Hello.'), textFrame('[DONE]')]);
  const bug = new TypeError('undefined is not a function');

  const { failure } = await ask({
    sink: () => {
      throw bug;
    },
  });

  expect(failure).toMatchObject({ code: 'Internal', promptSent: true, cause: bug });
});

test('credentials that nobody gives are not waited for beyond the end of the invocation', async () => {
  const { failure } = await ask({ provider: () => new Promise(() => {}), abortAfterMs: 100 });

  expect(failure).toMatchObject({ code: 'AgentTimeout', message: 'the time is over', promptSent: false });
  const [socket] = peer.sockets;
  if (socket && !socket.destroyed) await once(socket, 'close');
});

test('nothing of an answered request is held', async () => {
  peer.answer = Buffer.concat([textFrame('Hello.'), textFrame('[DONE]')]);
  const held = () => Number(queryObjects(AbortSignal));
  await ask();
  const before = held();

  for (let turn = 0; turn < 20; turn += 1) await ask();
  // This peer answers no close frame, for which a second is waited.
  for (const socket of peer.sockets) socket.destroy();
  await sleep(50);

  expect(held()).toBeLessThan(before + 10);
});

test('pings that waited while the reader was behind are all answered, and the answer goes on', async () => {
  peer.answer = async (socket) => {
    for (let i = 0; i < 40; i += 1) {
      socket.write(textFrame(`${i} `));
      if (i === 1) await sleep(50);
    }
    await sleep(50);
    for (let i = 0; i < 200; i += 1) socket.write(frame(0x9, 'p'));
    await sleep(200);
    socket.write(Buffer.concat([textFrame('the end'), textFrame('[DONE]')]));
  };
  const texts: string[] = [];

  const { failure } = await ask({
    sink: (events) => {
      const isFirst = texts.length === 0;
      for (const event of events) if (event.type === 'text') texts.push(event.text);
      return isFirst ? sleep(250).then(() => undefined) : undefined;
    },
  });

  expect(failure).toBeUndefined();
  expect(texts).toHaveLength(41);
});

test('a message in more frames than can be held is told as that', async () => {
  const frames = Array.from({ length: 20_000 }, (_, i) => frame(i === 0 ? 0x1 : 0x0, 'x', false));
  peer.answer = Buffer.concat(frames);

  const { failure } = await ask();

  expect(failure).toMatchObject({
    code: 'AgentFailed',
    message: 'the agent sent a message in too many fragments',
  });
});

async function open(signal: AbortSignal): Promise<Connection> {
  const url = new URL(peer.origin.replace('http', 'ws'));
  const socket = await dial(new URL(peer.origin), { connectTimeoutMs: 1000, signal });
  const upgraded = await upgrade(
    { url, headers: {} },
    { socket, handshakeTimeoutMs: 1000, maxMessageBytes: 1000, signal },
  );
  return new Connection(upgraded, 20_000, { agent: 'raw', sessionId: 'session-1' });
}

test('a connection on which nothing can be sent any more is logged when it is given up', async () => {
  const abort = new AbortController();
  const connection = await open(abort.signal);
  connection.close();
  const { config, credentials } = upstreamOf(peer.origin);
  const pool = { acquire: async () => ({ connection, reused: true }) } as unknown as ConnectionPool;
  const lines: string[] = [];
  const log = { info: (message: string) => lines.push(message), warn: () => {} };
  const invocation = {
    agent: config.agents[0] as Agent,
    input: '{}',
    sessionId: 'session-1',
    traceHeaders: {},
    abort,
    remainingMs: () => 10_000,
    record: {
      retries: 0,
      connectionsOpened: 0,
      connectionsReused: 0,
      connectionFailures: 0,
      chunksReceived: 0,
    },
    log,
  };

  const begun = TRANSPORTS.websocket(invocation, { config, credentials, pool });

  await expect(begun).rejects.toMatchObject({ code: 'AgentUnavailable' });
  expect(lines).toEqual(['Connection closed']);
});

test('a pong to an earlier ping is no sign of life', async () => {
  peer.answer = (socket) => {
    socket.on('data', () => socket.write(frame(0xa, 'old!')));
    socket.write(textFrame('[DONE]'));
  };
  const { signal } = new AbortController();
  const connection = await open(signal);
  const { receive, finish } = connection.exchange('{}', signal);
  await receive(() => false);
  finish(1);

  expect(await connection.ping(200)).toBe(false);
  connection.terminate();
});

describe('with a clock of its own', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'Date'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('30 s of silence after a text are reported, once', async () => {
    peer.answer = textFrame('some text');
    const warnings: string[] = [];
    const text = Promise.withResolvers<void>();

    const asked = ask({
      abortAfterMs: 100_000,
      onWarning: (message) => warnings.push(message),
      sink: () => void text.resolve(),
    });
    await text.promise;
    jest.advanceTimersByTime(29_000);
    const before = [...warnings];
    jest.advanceTimersByTime(30_000);
    // The sockets are read before it is judged.
    await new Promise<void>(whenWaitingInputIsRead);

    expect([before, warnings]).toEqual([[], ['NoEndMarker']]);
    jest.advanceTimersByTime(100_000);
    expect((await asked).failure).toMatchObject({ code: 'AgentTimeout' });
  });

  test('a caller that takes nothing for 30 s is counted', async () => {
    peer.answer = Buffer.concat([textFrame('some text'), textFrame('[DONE]')]);
    const stream = new FullStream();
    const { config, credentials, pool } = upstreamOf(peer.origin);
    const warnings: string[] = [];

    const call = callOf(
      { agentId: 'raw', prompt: 'x' },
      {
        respond: () => stream,
        upstream: { config, credentials, pool },
        telemetry: {
          log: { info: () => {}, warn: (message: string) => warnings.push(message) },
          about: () => {},
          underWay: () => {},
          finish: async () => {},
        },
      },
    );
    const answering = answerInvoke(call, { defaultFormat: 'sse' });
    while (stream.listenerCount('drain') === 0) await new Promise((resolve) => setImmediate(resolve));
    jest.advanceTimersByTime(31_000);
    stream.emit('drain');

    const { error, invocation } = await answering;
    expect([invocation?.readerStalls, invocation?.readerStalledMs]).toEqual([1, 31_000]);
    expect(error).toBeUndefined();
    expect(warnings).toEqual(['ReaderStalled']);
  });

  test.each([
    ['by the deadline', 'AgentTimeout', 'the answer exceeded its time limit of 20 s'],
    ['by the agent', 'AgentInterrupted', 'the connection to the agent was lost'],
  ])('an answer that ends %s while its reader takes nothing names the reader', async (end, code, said) => {
    peer.answer = textFrame('some text');
    const stream = new FullStream();
    const upstream = upstreamOf(peer.origin, { environment: { MAX_DURATION_MS: '20000' } });

    const call = callOf({ agentId: 'raw', prompt: 'x' }, { respond: () => stream, upstream });
    const answering = answerInvoke(call, { defaultFormat: 'sse' });
    while (stream.listenerCount('drain') === 0) await new Promise((resolve) => setImmediate(resolve));
    jest.advanceTimersByTime(end === 'by the agent' ? 19_000 : 20_000);
    if (end === 'by the agent') {
      peer.sockets[0]?.destroy();
      stream.emit('drain');
    }
    const { error, invocation } = await answering;

    const seconds = end === 'by the agent' ? 19 : 20;
    expect(error?.code).toBe(code);
    expect(error?.message).toBe(`${said}, and its reader took nothing for ${seconds} s of that`);
    expect(invocation?.readerStalledMs).toBe(seconds * 1000);
  });
});

/** A response stream whose reader takes nothing. */
class FullStream extends EventEmitter implements ResponseStream {
  destroyed = false;
  writableEnded = false;
  writableNeedDrain = true;

  write(): boolean {
    return false;
  }

  end(): void {
    this.writableEnded = true;
    this.destroyed = true;
    this.emit('close');
  }
}
