import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ServerProcess } from '../../local/aws/server-process.ts';
import { type System, type SystemOptions, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, readSse, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const ok = script({ send: 'fine' }, { send: '[DONE]' });
/** Text, and then nothing for longer than any test waits. */
const endless = script({ send: 'begun' }, { sleepMs: 600_000 });

let puppet: PuppetAgent;
let system: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
afterEach(() => system?.close());
afterAll(() => puppet.close());

async function start(environment: Record<string, string> = {}, more: SystemOptions = {}): Promise<System> {
  system = await startSystem({
    host: 'server',
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    environment,
    ...more,
  });
  return system;
}

const invoke = (prompt: string, init: RequestInit = {}) =>
  fetch(system.url, { method: 'POST', body: JSON.stringify({ agentId: 'puppet', prompt }), ...init });

/** An answer that has begun, and will not end by itself. */
async function begun(prompt = endless): Promise<{ response: Response; leave(): void }> {
  const abort = new AbortController();
  const response = await invoke(prompt, { signal: abort.signal });
  return { response, leave: () => abort.abort() };
}

const outcomes = () =>
  system.logs
    .filter(({ line }) => line.includes('"outcome"'))
    .map(({ line }) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ level }) => level);

/** One request over plain `node:http`, for headers that fetch does not send. */
function send({
  path = '/health',
  method = 'GET',
  headers = {},
  body,
  agent,
}: {
  path?: string;
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
  agent?: Agent;
} = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(system.url);
    const request = httpRequest({ hostname, port, path, method, headers, ...(agent && { agent }) });
    request.once('response', resolve).once('error', reject).end(body);
  });
}

describe('a caller that leaves', () => {
  test.each([
    ['after the first text', endless, 'begun'],
    ['before it', script({ sleepMs: 600_000 }), undefined],
  ])(
    '%s is noticed: the agent is asked no more, and nothing has failed',
    async (_when, prompt, firstText) => {
      await start({ COMMIT_AFTER_MS: '0' });
      const { response, leave } = await begun(prompt);
      await until(() => puppet.open.size === 1, 'the agent is asked');
      if (firstText !== undefined) await until(() => puppet.sent.length > 0, 'the agent has begun');
      await response.body?.getReader().read();

      leave();

      await until(() => puppet.open.size === 0, 'the connection to the agent is closed');
      await until(() => outcomes().length === 1, 'the log says so');
      expect(outcomes()[0]).toMatchObject({
        level: 'INFO',
        message: 'Answer cancelled',
        outcome: 'cancelled',
      });
      const metrics = system.logs
        .map(({ line }) => line)
        .filter((line) => line.includes('"InvocationErrors"'));
      for (const line of metrics) expect(JSON.parse(line)).toMatchObject({ InvocationErrors: 0 });
    },
  );
});

describe('as many answers as there may be', () => {
  test('are answered, a further one is 503 with Retry-After, and the server still tells its health', async () => {
    await start({ MAX_STREAMS: '2' });
    const held = [await begun(), await begun()];

    const refused = await invoke(ok);
    const health = await fetch(`${system.url}/health`);

    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refused.json()).toMatchObject({
      error: 'AgentUnavailable',
      message: expect.stringContaining('as many answers as it may'),
      retryable: true,
      promptSent: false,
    });
    expect(health.status).toBe(200);
    held[0]?.leave();
    await until(() => outcomes().some(({ outcome }) => outcome === 'cancelled'), 'one of them is over');
    expect(await (await invoke(ok)).text()).toContain('fine');
  });
});

describe('SIGTERM', () => {
  test('in the middle of 200 streams loses no end: they get their grace, then an error in-band', async () => {
    await start({ SHUTDOWN_GRACE_MS: '5000', POOL_MAX_CONNECTIONS: '0' });
    const server = system.runtime as ServerProcess;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await text(await send({ agent }));
    const short = script({ send: 'begun' }, { sleepMs: 1000 }, { send: ' and ended' }, { send: '[DONE]' });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => invoke(i % 2 === 0 ? short : endless)),
    );

    process.kill(server.pid, 'SIGTERM');
    await until(() => system.logs.some(({ line }) => line.includes('"Ending"')), 'the server ends');
    const onKeptConnection = await send({ agent }).then(
      ({ statusCode }) => statusCode,
      ({ code }) => code,
    );
    const onNewConnection = await fetch(system.url).catch((error) => error.cause.code);
    const read = await Promise.all(answers.map((response) => readSse(response)));

    expect([503, 'ECONNRESET', 'ECONNREFUSED']).toContain(onKeptConnection);
    expect(onNewConnection).toBe('ECONNREFUSED');
    expect(read.filter(({ truncated }) => truncated)).toEqual([]);
    for (const [i, { text: answered, last }] of read.entries()) {
      if (i % 2 === 0) {
        expect(answered).toBe('begun and ended');
        expect(last).toMatchObject({ done: true });
      } else {
        expect(answered).toBe('begun');
        expect(last).toMatchObject({
          code: 'AgentInterrupted',
          error: expect.stringContaining('this server is shutting down'),
          promptSent: true,
          partial: true,
        });
      }
    }
    expect(await server.exited).toEqual({ code: 0, signal: null });
    // The line of the last answer, too, is in the log.
    expect(outcomes().filter(({ route }) => route === 'invoke')).toHaveLength(200);
    agent.destroy();
  });

  test('ends an idle server at once, and the connections that it keeps in good order', async () => {
    await start();
    await invokeSse(system.url, { agentId: 'puppet', prompt: ok, sessionId: newSessionId() });
    expect(puppet.open.size).toBe(1);
    const closes: number[] = [];
    for (const socket of puppet.open) socket.on('close', (code) => closes.push(code));
    const server = system.runtime as ServerProcess;

    process.kill(server.pid, 'SIGTERM');

    expect(await server.exited).toEqual({ code: 0, signal: null });
    await until(() => closes.length === 1, 'the agent was told');
    expect(closes).toEqual([1000]);
  });
});

describe('an error that nobody caught', () => {
  test('ends the process in good order, is logged with its stack, and is counted', async () => {
    const preload = [join(import.meta.dirname, '../fixtures/bug-on-signal.mjs')];
    await start({ SHUTDOWN_GRACE_MS: '1000' }, { runtime: { preload } });
    const server = system.runtime as ServerProcess;
    const short = script({ send: 'begun' }, { sleepMs: 300 }, { send: ' and ended' }, { send: '[DONE]' });
    const answers = await Promise.all([invoke(short), invoke(endless)]);

    process.kill(server.pid, 'SIGUSR2');
    const [whole, cut] = await Promise.all(answers.map((response) => readSse(response)));

    expect(whole).toMatchObject({ text: 'begun and ended', last: { done: true } });
    expect(cut).toMatchObject({ text: 'begun', truncated: false, last: { code: 'AgentInterrupted' } });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    const lines = system.logs.map(({ line }) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ message }) => message === 'Uncaught')).toEqual([
      expect.objectContaining({
        level: 'ERROR',
        error: expect.objectContaining({ message: 'a bug', stack: expect.stringContaining('bug-on-signal') }),
      }),
    ]);
    expect(lines.filter(({ ServerCrashes }) => ServerCrashes !== undefined)).toHaveLength(1);
  });
});

describe('time', () => {
  test("REQUEST_TIMEOUT_MS stands for Lambda's timeout: the answer ends before it, in-band", async () => {
    await start({ REQUEST_TIMEOUT_MS: '1500', DEADLINE_RESERVE_MS: '500' });

    const { last, truncated } = await invokeSse(system.url, { agentId: 'puppet', prompt: endless });

    expect(truncated).toBe(false);
    expect(last).toMatchObject({ code: 'AgentTimeout', error: expect.stringContaining('time limit') });
  });

  test('an answer may be allowed an hour where a request may take as long', async () => {
    await start({ MAX_DURATION_MS: '3600000', REQUEST_TIMEOUT_MS: '3603000' });

    expect(await (await invoke(ok)).text()).toContain('fine');
  });

  test('no limit of a connection cuts a stream that is silent', async () => {
    await start({ KEEP_ALIVE_TIMEOUT_MS: '1' });
    const silent = script({ send: 'a' }, { sleepMs: 3000 }, { send: 'b' }, { send: '[DONE]' });

    const { text: answered, last } = await invokeSse(system.url, { agentId: 'puppet', prompt: silent });

    expect(answered).toBe('ab');
    expect(last).toMatchObject({ done: true });
  });
});

describe('a chunk that nothing follows', () => {
  const paused = script({ send: 'a' }, { sleepMs: 300 }, { send: '[DONE]' });

  test('is followed by a comment behind Lambda, which may hold a small write back', async () => {
    await start({ AWS_LAMBDA_HTTP_ENDPOINT: '127.0.0.1:0' });

    expect((await invokeSse(system.url, { agentId: 'puppet', prompt: paused })).raw).toContain('\n:\n');
  });

  test('is not in a container: it leaves at once', async () => {
    await start();

    expect((await invokeSse(system.url, { agentId: 'puppet', prompt: paused })).raw).not.toMatch(/^:/m);
  });
});

describe('a body over MAX_REQUEST_BYTES', () => {
  test.each([
    ['that says so', { 'content-length': '2000' }],
    ['that comes in pieces', { 'transfer-encoding': 'chunked' }],
  ])('%s is 413 and names body', async (_how, headers) => {
    await start({ MAX_REQUEST_BYTES: '1000' });
    const body = JSON.stringify({ agentId: 'puppet', prompt: ok }).padEnd(2000);

    const answer = await send({ path: '/', method: 'POST', headers, body });

    expect(answer.statusCode).toBe(413);
    expect(await json(answer)).toMatchObject({ error: 'PayloadTooLarge', details: { fields: ['body'] } });
  });
});

describe('CORS', () => {
  const origin = 'https://app.example.com';
  const preflight = (from: string) =>
    send({
      method: 'OPTIONS',
      path: '/api',
      headers: { origin: from, 'access-control-request-method': 'POST' },
    });

  test('an origin that is allowed may ask and read', async () => {
    await start({}, { allowedOrigins: [origin, 'https://other.example.com'] });

    const asked = await preflight(origin);
    const answer = await send({ headers: { origin } });

    expect(asked.statusCode).toBe(200);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-headers': expect.stringContaining('content-type'),
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': expect.stringContaining('X-Session-Id'),
    });
  });

  test('another one is told nothing', async () => {
    await start({}, { allowedOrigins: [origin] });

    const asked = await preflight('https://evil.example.com');
    const answer = await send({ headers: { origin: 'https://evil.example.com' } });

    for (const { headers } of [asked, answer]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

describe('the id of a request', () => {
  const headers = { 'lambda-web-request-id': 'f0000000-0000-4000-8000-000000000001' };

  test("is Lambda's own in a Web Function", async () => {
    await start({ AWS_LAMBDA_HTTP_ENDPOINT: '127.0.0.1:0' });

    const answer = await send({ path: '/nowhere', headers });

    expect(answer.headers['x-amzn-requestid']).toBe(headers['lambda-web-request-id']);
    expect(await json(answer)).toMatchObject({ requestId: headers['lambda-web-request-id'] });
  });

  test('is never what a caller says elsewhere', async () => {
    await start();

    const answer = await send({ path: '/nowhere', headers });

    expect(answer.headers['x-amzn-requestid']).not.toBe(headers['lambda-web-request-id']);
  });
});

test('a request for another protocol is answered by this one', async () => {
  await start();

  const answer = await send({ headers: { connection: 'Upgrade', upgrade: 'websocket' } });

  expect(answer.statusCode).toBe(200);
});

describe('a server that cannot start', () => {
  test.each([
    ['AGENTS', '[]', 'AGENTS: expected a non-empty JSON array of agents'],
    ['ALLOWED_ORIGINS', 'app.example.com', 'ALLOWED_ORIGINS: expected origins such as'],
    ['PORT', '99999', 'PORT: expected a port from 0 to 65535'],
    ['SESSION_BINDING', 'iam', 'SESSION_BINDING: expected none on a server'],
    ['MAX_STREAMS', 'many', 'MAX_STREAMS: expected a whole number'],
    ['MAX_DURATION_MS', '3600000', 'MAX_DURATION_MS: expected at most REQUEST_TIMEOUT_MS'],
  ])('for a wrong %s says so in one line of its log, and is counted', async (variable, value, message) => {
    const lines: string[] = [];
    const environment = { POWERTOOLS_SERVICE_NAME: 'mine', [variable]: value };

    const failure = await start(environment, { onLog: ({ line }) => lines.push(line) }).then(
      () => undefined,
      (error: Error) => error.message,
    );

    expect(failure).toContain(message);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'ERROR', message: 'The server cannot start', service: 'mine' }),
      expect.objectContaining({ ServerStartFailures: 1, service: 'mine' }),
    ]);
  });
});
