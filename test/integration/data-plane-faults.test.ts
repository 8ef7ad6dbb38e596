import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, connect as tcpConnect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { signInvocation, signUpgrade } from '../../lambda/agentcore/signing.ts';
import { parseRuntimeArn } from '../../lambda/arn.ts';
import { type DataPlane, startDataPlane } from '../../local/aws/data-plane.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { startFaultProxy } from '../../local/faults/fault-proxy.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/Puppet-0123456789';
const deadArn = 'arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/Dead-0123456789';
const keys = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
const tlsFile = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8');

let puppet: PuppetAgent;
let plain: DataPlane;
let secure: DataPlane;
let random = 0;
/** A container that takes connections and hangs up. */
const dead = createServer((socket) => socket.once('data', () => socket.end()));

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  puppet = await startPuppetAgent();
  const deadPort = await listening(dead);
  const options = {
    runtimes: [
      { runtimeArn, target: puppet.target },
      { runtimeArn: deadArn, target: `http://127.0.0.1:${deadPort}` },
    ],
    credentials: [keys],
    random: () => random,
  };
  plain = await startDataPlane(options);
  secure = await startDataPlane({
    ...options,
    tls: { key: tlsFile('server-key.pem'), cert: tlsFile('server.pem') },
  });
});
afterEach(() => {
  plain.fault(runtimeArn, undefined);
  secure.fault(runtimeArn, undefined);
});
afterAll(async () => {
  await Promise.all([plain.close(), secure.close(), puppet.close()]);
  dead.close();
});

interface Socket {
  ws: WebSocket;
  messages: string[];
  closed: Promise<{ code: number; reason: string }>;
}

/** @throws Error with the status of a refused upgrade */
async function open(plane = plain, arn = runtimeArn, sessionId = newSessionId()): Promise<Socket> {
  const { url, headers } = await signUpgrade(
    { arn: parseRuntimeArn(arn), origin: new URL(plane.url), qualifier: 'DEFAULT', sessionId },
    async () => keys,
  );
  const ws = new WebSocket(url, { headers, perMessageDeflate: false, ca: tlsFile('ca.pem') });
  const messages: string[] = [];
  ws.on('message', (data) => messages.push(data.toString()));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  ws.on('error', () => {});
  return { ws, messages, closed };
}

function prompt({ ws }: Socket, ...steps: Parameters<typeof script>): void {
  ws.send(JSON.stringify({ prompt: script(...steps), sessionId: 's' }));
}

async function post(...steps: Parameters<typeof script>): Promise<Response> {
  const body = JSON.stringify({ prompt: script({ status: 200 }, ...steps), sessionId: 's' });
  const { url, headers } = await signInvocation(
    {
      arn: parseRuntimeArn(runtimeArn),
      origin: new URL(plain.url),
      qualifier: 'DEFAULT',
      sessionId: newSessionId(),
    },
    body,
    async () => keys,
  );
  return fetch(url, { method: 'POST', body, headers });
}

describe.each([
  ['plain', () => plain],
  ['TLS', () => secure],
])('over %s a fault after k messages', (_transport, planeOf) => {
  test.each([
    ['dropped', FAULTS.dropAfter(3), 1006, ''],
    ['reset', FAULTS.resetAfter(3), 1006, ''],
    ['closed by the service', FAULTS.closeAfter(3, 1008, 'Policy violated: x'), 1008, 'Policy violated: x'],
  ])('lets exactly k messages arrive before the connection is %s', async (_how, fault, code, reason) => {
    planeOf().fault(runtimeArn, fault);
    const socket = await open(planeOf());

    // All of them in one piece of bytes, or nearly so.
    prompt(socket, { send: '{i}', times: 50 });

    expect(await socket.closed).toEqual({ code, reason });
    expect(socket.messages).toEqual(['0', '1', '2']);
  });

  test('leaves a connection half-open: silent both ways, and nobody is told', async () => {
    planeOf().fault(runtimeArn, FAULTS.blackholeAfter(1));
    const socket = await open(planeOf());
    let pongs = 0;
    socket.ws.on('pong', () => {
      pongs += 1;
    });

    prompt(socket, { send: 'one' }, { send: 'two' }, { drop: true });
    await until(() => socket.messages.length === 1, 'the first message is there');
    socket.ws.ping();
    await new Promise((resolve) => setTimeout(resolve, 100));

    expect(socket.messages).toEqual(['one']);
    expect(pongs).toBe(0);
    expect(socket.ws.readyState).toBe(WebSocket.OPEN);
    socket.ws.terminate();
  });
});

describe('a fault', () => {
  test('of swallowed pongs lets everything else through', async () => {
    plain.fault(runtimeArn, FAULTS.swallowPongs());
    const socket = await open();
    let pongs = 0;
    socket.ws.on('pong', () => {
      pongs += 1;
    });

    socket.ws.ping();
    prompt(socket, { send: 'before' }, { sleepMs: 20 }, { send: 'after' }, { close: 1000 });

    expect((await socket.closed).code).toBe(1000);
    expect(socket.messages).toEqual(['before', 'after']);
    expect(pongs).toBe(0);
  });

  test('meets as many requests as it is told, then none', async () => {
    plain.fault(runtimeArn, FAULTS.refuse(429, 'ThrottlingException'), { times: 2 });

    await expect(open()).rejects.toThrow('429');
    await expect(open()).rejects.toThrow('429');
    (await open()).ws.terminate();
  });

  test('can be kept for one session', async () => {
    const sessionId = newSessionId();
    plain.fault(runtimeArn, FAULTS.refuse(503), { sessionId });

    (await open()).ws.terminate();
    await expect(open(plain, runtimeArn, sessionId)).rejects.toThrow('503');
  });

  test('can have a probability', async () => {
    plain.fault(runtimeArn, FAULTS.refuse(503), { probability: 0.1 });

    random = 0.11;
    (await open()).ws.terminate();
    random = 0.09;
    await expect(open()).rejects.toThrow('503');
  });

  test('breaks the body of an HTTP answer, too', async () => {
    plain.fault(runtimeArn, FAULTS.dropAfter(1));

    const response = await post({ send: 'one' }, { sleepMs: 20 }, { send: 'two' });
    const reader = response.body?.getReader();

    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('one');
    await expect(reader?.read()).rejects.toThrow();
  });
});

describe('the data plane', () => {
  test('closes at a quota between the frames that are under way, never inside one', async () => {
    // Half a frame at once, the rest 60 ms later, whatever comes in between.
    const [half, rest] = [Buffer.from([0x81, 4, 0x78, 0x78]), Buffer.from([0x79, 0x79])];
    const agent = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', (upgrade) => {
        const key = /sec-websocket-key: (\S+)/i.exec(upgrade.toString())?.[1];
        const accept = createHash('sha1')
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64');
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
        socket.write(half);
        setTimeout(() => socket.end(rest), 60);
      });
    });
    const agentPort = await listening(agent);
    const plane = await startDataPlane({
      runtimes: [{ runtimeArn, target: `http://127.0.0.1:${agentPort}` }],
      credentials: [keys],
    });
    const socket = await open(plane);
    await new Promise((resolve) => setTimeout(resolve, 20));

    socket.ws.send('z'.repeat(65_537));

    expect((await socket.closed).code).toBe(1009);
    expect(socket.messages).toEqual(['xxyy']);
    await plane.close();
    agent.close();
  });

  test('passes half a frame on as half a frame', async () => {
    const socket = await open();
    const half = Buffer.concat([Buffer.from([0x81, 126, 0, 200]), Buffer.alloc(100, 'x')]).toString('base64');

    prompt(socket, { send: 'whole' }, { raw: half }, { sleepMs: 20 }, { drop: true });

    expect((await socket.closed).code).toBe(1006);
    expect(socket.messages).toEqual(['whole']);
  });

  test('answers 424 for a container that hangs up instead of answering', async () => {
    await expect(open(plain, deadArn)).rejects.toThrow('424');
  });

  test.each([
    [`/runtimes/%zz/ws`, 400],
    [`/runtimes/x/ws?qualifier=%zz`, 403],
    ['/ping', 404],
    [`/runtimes/x/invocations`, 404],
  ])('refuses an upgrade of %s with %i and lives', async (path, status) => {
    const ws = new WebSocket(`${plain.url}${path}`);

    const error = await new Promise<Error>((resolve) => ws.once('error', resolve));

    expect(error.message).toContain(String(status));
    (await open()).ws.terminate();
  });

  test('survives a caller that leaves in the middle of its body', async () => {
    const { hostname, port } = new URL(plain.url);
    const socket = tcpConnect({ host: hostname, port: Number(port) });
    socket.write('POST /runtimes/x/invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.destroy();

    await new Promise((resolve) => setTimeout(resolve, 20));
    (await open()).ws.terminate();
  });

  test('passes on to the container what AWS does, and nothing else', async () => {
    const { url, headers } = await signUpgrade(
      {
        arn: parseRuntimeArn(runtimeArn),
        origin: new URL(plain.url),
        qualifier: 'DEFAULT',
        sessionId: newSessionId(),
        headers: { 'x-amzn-trace-id': 'Root=1-2-3;Sampled=1', traceparent: '00-a-b-01' },
      },
      async () => keys,
    );
    const ws = new WebSocket(url, { headers: { ...headers, cookie: 'a=1', 'user-agent': 'x' } });
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));

    const came = puppet.upgrades.at(-1);
    expect(came).toMatchObject({ 'x-amzn-trace-id': 'Root=1-2-3;Sampled=1', traceparent: '00-a-b-01' });
    for (const name of ['authorization', 'x-amz-date', 'cookie', 'user-agent', 'sec-websocket-extensions']) {
      expect(came).not.toHaveProperty(name);
    }
    ws.terminate();
  });
});

test('the fault proxy lets so many bytes per second through from its target, and all of them', async () => {
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
  let uploaded = 0;
  let uploadedAt = 0;
  const target = createServer((socket) => {
    socket.on('data', (bytes) => {
      uploaded += bytes.length;
      if (uploaded < sent.length) return;
      uploadedAt = performance.now();
      socket.end(sent);
    });
  });
  const port = await listening(target);
  const proxy = await startFaultProxy({ target: `http://127.0.0.1:${port}`, bytesPerSecond: 500_000 });
  try {
    const socket = tcpConnect({ host: '127.0.0.1', port: Number(new URL(proxy.url).port) });
    socket.write(sent);
    const startedAt = performance.now();
    const received: Buffer[] = [];
    for await (const bytes of socket as AsyncIterable<Buffer>) received.push(bytes);

    expect(Buffer.concat(received).equals(sent)).toBe(true);
    // 300 KB at 500 KB/s; the way there has no limit.
    expect(performance.now() - uploadedAt).toBeGreaterThan(550);
    expect(uploadedAt - startedAt).toBeLessThan(500);
  } finally {
    await proxy.close();
    target.close();
  }
});
