import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AskOptions, askRaw, RawPeer } from '../fixtures/raw-peer.ts';

let peer: RawPeer;

beforeEach(async () => {
  peer = new RawPeer();
  await peer.listen();
});
afterEach(() => peer.close());

const ask = ({ entry, ...options }: AskOptions = {}) =>
  askRaw(peer.origin, { entry: { transport: 'http', ...entry }, ...options });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const head = (...headers: string[]) => `${['HTTP/1.1 200 OK', ...headers].join('\r\n')}\r\n\r\n`;

describe('a body without a length, which ends with its connection', () => {
  const cutOff = (then: 'is reset' | 'is silent' | 'ends', contentType = 'text/event-stream') => {
    peer.answer = async (socket) => {
      socket.write(`${head(`Content-Type: ${contentType}`)}data: "half of the "\n\n`);
      await sleep(50);
      if (then === 'is reset') socket.resetAndDestroy();
      if (then === 'ends') socket.end();
    };
  };

  test('is whole where the connection ends in good order', async () => {
    cutOff('ends');

    const { failure, heard } = await ask();

    expect(failure).toBeUndefined();
    expect(heard).toEqual(['half of the ']);
  });

  test.each(['text/event-stream', 'text/plain'])('is interrupted by a reset: %s', async (contentType) => {
    cutOff('is reset', contentType);

    const { failure, heard } = await ask();

    expect(failure).toMatchObject({ code: 'AgentInterrupted', promptSent: true });
    expect(heard.join('')).toContain('half of the ');
  });

  test('that is JSON is not taken for whole after a reset', async () => {
    peer.answer = async (socket) => {
      socket.write(`${head('Content-Type: application/json')}{"chunk":`);
      await sleep(50);
      socket.resetAndDestroy();
    };

    const { failure, heard } = await ask();

    expect(failure).toMatchObject({ code: 'AgentInterrupted', promptSent: true });
    expect(heard).toEqual([]);
  });

  test('is not taken for whole when the time is over', async () => {
    cutOff('is silent');

    const { failure } = await ask({ abortAfterMs: 200 });

    expect(failure).toMatchObject({ code: 'AgentTimeout', promptSent: true });
  });
});

describe('any 2xx is an answer', () => {
  test.each(['200 OK', '201 Created', '202 Accepted', '203 Non-Authoritative Information', '299 Odd'])(
    '%s',
    async (status) => {
      peer.answer = Buffer.from(
        `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"chunk":"fine"}`,
      );

      const { failure, heard } = await ask();

      expect(failure).toBeUndefined();
      expect(heard).toEqual(['fine']);
    },
  );

  test('one without any text is a failure all the same', async () => {
    peer.answer = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n');

    expect((await ask()).failure).toMatchObject({
      code: 'AgentFailed',
      message: 'the agent closed without an answer',
    });
  });

  test.each(['300 Multiple Choices', '307 Temporary Redirect'])('%s is none', async (status) => {
    peer.answer = Buffer.from(
      `HTTP/1.1 ${status}\r\nLocation: /invocations\r\nContent-Length: 16\r\n\r\n{"chunk":"fine"}`,
    );

    expect((await ask()).failure).toMatchObject({ code: 'AgentFailed' });
    expect(peer.sockets).toHaveLength(1);
  });
});

test('an answer that switches protocols ends the invocation', async () => {
  peer.answer = Buffer.from(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  );

  const { failure } = await ask({ abortAfterMs: 2000 });

  expect(failure).toMatchObject({ code: 'AgentInterrupted', promptSent: true });
});

describe('a framing that the agent’s entry says holds for a body cut anywhere', () => {
  test.each(['application/octet-stream', 'text/plain', undefined])('sse, typed %s', async (contentType) => {
    const body = 'data: "Hello "\n\ndata: "wonderful "\n\ndata: "world"\n\ndata: [DONE]\n\n';
    peer.answer = async (socket) => {
      const type = contentType === undefined ? [] : [`Content-Type: ${contentType}`];
      socket.write(head(...type, `Content-Length: ${body.length}`) + body.slice(0, 25));
      await sleep(50);
      socket.write(body.slice(25));
    };

    const { failure, heard } = await ask({ entry: { framing: 'sse' } });

    expect(failure).toBeUndefined();
    expect(heard).toEqual(['Hello ', 'wonderful ', 'world']);
  });

  test('json, typed text/plain', async () => {
    const body = '{"chunk":"Hello world"}';
    peer.answer = async (socket) => {
      socket.write(head('Content-Type: text/plain', `Content-Length: ${body.length}`) + body.slice(0, 12));
      await sleep(50);
      socket.write(body.slice(12));
    };

    const { failure, heard } = await ask({ entry: { framing: 'json' } });

    expect(failure).toBeUndefined();
    expect(heard).toEqual(['Hello world']);
  });
});

test('the id of the request, by which AWS knows it, goes with an answer and with its failure', async () => {
  peer.answer = Buffer.from(
    `${head('Content-Type: text/event-stream', 'x-amzn-requestid: upstream-4711', 'Content-Length: 28')}data: {"error":"no model"}\n\n\n`,
  );

  const { failure, record } = await ask();

  expect(failure).toMatchObject({ code: 'AgentFailed', upstreamRequestId: 'upstream-4711' });
  expect(record.upstreamRequestId).toBe('upstream-4711');
});
