import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { queryObjects } from 'node:v8';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { InvocationRecord } from '../../lambda/agentcore/exchange.ts';
import { invoke, type TextSink } from '../../lambda/agentcore/invocation.ts';
import { ConnectionPool } from '../../lambda/agentcore/pool.ts';
import type { CredentialProvider } from '../../lambda/agentcore/signing.ts';
import type { Agent } from '../../lambda/agents.ts';
import { readConfig } from '../../lambda/config.ts';
import { ENV } from '../../lambda/contract.ts';
import { StreamError } from '../../lambda/errors.ts';
import { newSessionId } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Raw-0123456789';
const credentials: CredentialProvider = async () => ({
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret',
});

/** A frame of an answer: unmasked, and short. */
const frame = (opcode: number, payload: Buffer | string = '') => {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from([0x80 | opcode, bytes.length]), bytes]);
};
const text = (said: string) => frame(0x1, said);
const close = (code: number, reason = '') =>
  frame(0x8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));

/** A peer on bare TCP, which decides what stands in one segment with what. */
class RawPeer {
  readonly sockets: Socket[] = [];
  /** Stands in the segment of the answer to the upgrade. */
  withUpgrade: Buffer = Buffer.alloc(0);
  /** Is the answer to the prompt. */
  answer: Buffer = Buffer.alloc(0);
  readonly #server: Server = createServer((socket) => this.#serve(socket));

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    let request = '';
    let isUpgraded = false;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (isUpgraded) {
        if (this.answer.length > 0) socket.write(this.answer);
        return;
      }
      request += bytes;
      const key = /^sec-websocket-key: (.*)\r$/im.exec(request)?.[1];
      if (!request.endsWith('\r\n\r\n')) return;
      isUpgraded = true;
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(head), this.withUpgrade]));
    });
  }
}

let peer: RawPeer;
let heard: string[];

beforeEach(async () => {
  heard = [];
  peer = new RawPeer();
  await peer.listen();
});
afterEach(() => peer.close());

interface Options {
  sink?: TextSink;
  provider?: CredentialProvider;
  /** Aborts the invocation after so long. */
  abortAfterMs?: number;
}

/** Asks the peer as one invocation does, and says how that went. */
async function ask({ sink, provider = credentials, abortAfterMs }: Options = {}): Promise<{
  failure: StreamError | undefined;
  record: InvocationRecord;
}> {
  const config = readConfig({
    [ENV.AGENTS]: JSON.stringify([{ id: 'raw', name: 'RawAgent', runtimeArn }]),
    [ENV.ENDPOINT_URL]: peer.origin,
    RETRY_BASE_MS: '5',
  });
  const pool = new ConnectionPool({
    ...config,
    maxConnections: 0,
    maxIdleMs: config.poolMaxIdleMs,
    maxAgeMs: config.poolMaxAgeMs,
  });
  const abort = new AbortController();
  const record: InvocationRecord = {
    retries: 0,
    connectionsOpened: 0,
    connectionsReused: 0,
    connectionFailures: 0,
  };
  const invocation = {
    agent: config.agents[0] as Agent,
    prompt: 'hello',
    sessionId: newSessionId(),
    traceHeaders: {},
    abort,
    remainingMs: () => 10_000,
    record,
    log: { info: () => {}, warn: () => {} },
  };
  const timer = setTimeout(
    () => abort.abort(new StreamError('AgentTimeout', 'the time is over')),
    abortAfterMs ?? 10_000,
  );
  const hear: TextSink = (said) => {
    heard.push(said);
    return undefined;
  };
  try {
    await invoke(invocation, { config, credentials: provider, pool }, sink ?? hear);
    return { failure: undefined, record };
  } catch (error) {
    return { failure: error as StreamError, record };
  } finally {
    clearTimeout(timer);
  }
}

describe('what stands in the segment of the answer to the upgrade', () => {
  test('is part of the answer', async () => {
    peer.withUpgrade = text('Welcome. ');
    peer.answer = Buffer.concat([text('Hello.'), text('[DONE]')]);

    const { failure } = await ask();

    expect(failure).toBeUndefined();
    expect(heard).toEqual(['Welcome. ', 'Hello.']);
  });

  test.each<[string, Buffer, string, Record<string, unknown>]>([
    ['no WebSocket frame', Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), 'broke the WebSocket protocol', {}],
    ['a close with 1011', close(1011), 'the agent failed', { agentError: { code: 1011 } }],
    [
      'a close with 1008 and a reason',
      close(1008, 'quota of the tenant'),
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
    text('Hello.'),
    close(1000),
    text('too late'),
    Buffer.from([0x01, 0x05, 0x61]),
  ]);

  const { failure } = await ask();

  expect(failure).toBeUndefined();
  expect(heard).toEqual(['Hello.']);
});

test('an exception of our own in the middle of an answer is no failure of the agent', async () => {
  peer.answer = Buffer.concat([text('Hello.'), text('[DONE]')]);
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
  peer.answer = Buffer.concat([text('Hello.'), text('[DONE]')]);
  const held = () => Number(queryObjects(AbortSignal));
  await ask();
  const before = held();

  for (let turn = 0; turn < 20; turn += 1) await ask();
  // This peer answers no close frame, for which a second is waited.
  for (const socket of peer.sockets) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));

  expect(held()).toBeLessThan(before + 10);
});
