import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { signUpgrade } from '../../lambda/agentcore/signing.ts';
import { parseRuntimeArn } from '../../lambda/arn.ts';
import { type DataPlane, startDataPlane } from '../../local/aws/data-plane.ts';
import { closeFrame } from '../../local/aws/frame-reader.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/Puppet-0123456789';
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret', sessionToken: 'token/+=' };
const tlsFile = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8');

let puppet: PuppetAgent;
let plane: DataPlane;
let now = Date.now;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  plane = await startDataPlane({
    runtimes: [{ runtimeArn, qualifiers: ['DEFAULT', 'prod'], target: puppet.target }],
    credentials: [credentials],
    quotas: { idleTimeoutMs: 300 },
    clock: () => now(),
  });
});
afterAll(async () => {
  await plane.close();
  await puppet.close();
});

interface Opened {
  ws: WebSocket;
  messages: string[];
  closed: Promise<{ code: number; reason: string }>;
}

async function open(
  request: { qualifier?: string; sessionId?: string; arn?: string; keys?: typeof credentials } = {},
  change: (signed: { url: URL; headers: Record<string, string> }) => void = () => {},
): Promise<Opened | { status: number; errorType: string; body: { message: string } }> {
  const { qualifier = 'DEFAULT', sessionId = newSessionId(), arn = runtimeArn, keys = credentials } = request;
  const signed = await signUpgrade(
    {
      arn: { ...parseRuntimeArn(runtimeArn), text: arn },
      origin: new URL(plane.url),
      qualifier,
      sessionId,
    },
    async () => keys,
  );
  change(signed);
  const ws = new WebSocket(signed.url, { headers: signed.headers, perMessageDeflate: false });
  const messages: string[] = [];
  ws.on('error', () => {});
  ws.on('message', (data) => messages.push(data.toString()));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  return new Promise((resolve) => {
    ws.once('open', () => resolve({ ws, messages, closed }));
    ws.once('unexpected-response', async (_request, answer) => {
      let body = '';
      for await (const part of answer) body += part;
      resolve({
        status: answer.statusCode ?? 0,
        errorType: String(answer.headers['x-amzn-errortype']),
        body: JSON.parse(body),
      });
    });
  });
}

async function opened(...steps: Parameters<typeof script>): Promise<Opened> {
  const connection = await open();
  if (!('ws' in connection)) throw new Error(`refused: ${JSON.stringify(connection)}`);
  connection.ws.send(JSON.stringify({ prompt: script(...steps), sessionId: 's' }));
  return connection;
}

describe('the front door', () => {
  test.each([
    [
      'a wrong secret key',
      { keys: { ...credentials, secretAccessKey: 'wrong' } },
      403,
      'AccessDeniedException',
      /The request signature we calculated/,
    ],
    [
      'another token',
      { keys: { ...credentials, sessionToken: 'other' } },
      403,
      'AccessDeniedException',
      /security token included/,
    ],
    [
      'a session id of 32 characters',
      { sessionId: 'x'.repeat(32) },
      400,
      'ValidationException',
      /runtimeSessionId/,
    ],
    [
      'a session id of 257 characters',
      { sessionId: 'x'.repeat(257) },
      400,
      'ValidationException',
      /runtimeSessionId/,
    ],
    [
      'an unknown runtime',
      { arn: runtimeArn.replace('Puppet', 'Muppet') },
      404,
      'ResourceNotFoundException',
      /Muppet/,
    ],
    [
      'an endpoint ARN',
      { arn: `${runtimeArn}/runtime-endpoint/prod` },
      404,
      'ResourceNotFoundException',
      /runtime-endpoint/,
    ],
    ['an unknown qualifier', { qualifier: 'beta' }, 404, 'ResourceNotFoundException', /beta/],
  ])('refuses %s', async (_what, request, status, errorType, message) => {
    const refused = await open(request);

    expect(refused).toMatchObject({
      status,
      errorType: `${errorType}:`,
      body: { message: expect.stringMatching(message) },
    });
  });

  test('refuses a clock that is more than five minutes off', async () => {
    now = () => Date.now() + 301_000;
    try {
      expect(await open()).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining('Signature expired') },
      });
    } finally {
      now = Date.now;
    }
  });

  test('lets a qualifier of the runtime through, and the session id to the container', async () => {
    const sessionId = newSessionId();

    const connection = await open({ qualifier: 'prod', sessionId });

    expect(connection).toHaveProperty('ws');
    const headers = puppet.upgrades.at(-1);
    expect(headers).toMatchObject({ 'x-amzn-bedrock-agentcore-runtime-session-id': sessionId });
    expect(headers).not.toHaveProperty('authorization');
    if ('ws' in connection) connection.ws.terminate();
  });

  test('tells a plain GET that it is no upgrade', async () => {
    const body = await new Promise<string>((resolve) => {
      httpRequest(`${plane.url}/runtimes/x/ws`, (answer) => {
        answer.on('data', (part) => resolve(String(part)));
      }).end();
    });

    expect(body).toBe('Not a WebSocket Upgrade Request');
  });

  test('turns a container that refuses the upgrade into 424', async () => {
    const bare = await startDataPlane({
      runtimes: [{ runtimeArn, target: plane.url }],
      credentials: [credentials],
    });
    const healthy = plane;
    plane = bare;
    try {
      expect(await open()).toMatchObject({ status: 424, errorType: 'RuntimeClientError:' });
    } finally {
      plane = healthy;
      await bare.close();
    }
  });
});

describe('the way through', () => {
  test('passes text, binary, fragments, pings and close codes', async () => {
    const { ws, messages, closed } = await opened(
      { send: 'text' },
      { binary: Buffer.from('binary').toString('base64') },
      { fragments: ['frag', 'mented'] },
      { pings: 1 },
      { sleepMs: 20 },
      { close: 4321, reason: 'own reason' },
    );
    let pings = 0;
    ws.on('ping', () => {
      pings += 1;
    });

    expect(await closed).toEqual({ code: 4321, reason: 'own reason' });
    expect(messages).toEqual(['text', 'binary', 'fragmented']);
    expect(pings).toBe(1);
  });

  test('passes our pings to the agent and its pongs back', async () => {
    const { ws } = await opened();

    ws.ping('x');

    expect(await new Promise((resolve) => ws.once('pong', (data) => resolve(String(data))))).toBe('x');
    ws.terminate();
  });

  test.each([
    ['of the agent', { fill: [65_537] }, 0],
    ['of the caller', { sleepMs: 1 }, 65_537],
  ])('ends with 1009 at a frame %s over 64 KB', async (_whose, step, ownBytes) => {
    const { ws, closed } = await opened(step);
    if (ownBytes > 0) ws.send('x'.repeat(ownBytes));

    expect(await closed).toEqual({ code: 1009, reason: expect.stringContaining('64 KB') });
  });

  test('takes a message of 70 KB in two frames', async () => {
    const { ws, messages } = await opened({ fill: [60_000, 10_000] });

    await until(() => messages.length === 1, 'the message is there');
    expect(messages[0]).toHaveLength(70_000);
    ws.terminate();
  });

  test('ends with 1008 over 250 frames a second', async () => {
    const { closed, messages } = await opened({ send: 'x', times: 300 });

    expect(await closed).toMatchObject({ code: 1008 });
    expect(messages.length).toBeLessThanOrEqual(251);
  });

  test('drops a silent connection without a close frame', async () => {
    const { closed } = await opened({ send: 'x' });

    expect(await closed).toEqual({ code: 1006, reason: '' });
  });

  test('writes close frames as clients and servers must', () => {
    expect(closeFrame(1000, 'a').toString('hex')).toBe('880303e861');
    expect(closeFrame(1000, 'a', true).toString('hex')).toBe('88830000000003e861');
  });
});

test('speaks TLS, too', async () => {
  const secure = await startDataPlane({
    runtimes: [{ runtimeArn, target: puppet.target }],
    credentials: [credentials],
    tls: { key: tlsFile('server-key.pem'), cert: tlsFile('server.pem') },
  });
  try {
    const signed = await signUpgrade(
      {
        arn: parseRuntimeArn(runtimeArn),
        origin: new URL(secure.url),
        qualifier: 'DEFAULT',
        sessionId: newSessionId(),
      },
      async () => credentials,
    );
    const ws = new WebSocket(signed.url, { headers: signed.headers, ca: tlsFile('ca.pem') });
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
    ws.terminate();
  } finally {
    await secure.close();
  }
});
