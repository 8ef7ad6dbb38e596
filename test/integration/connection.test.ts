import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type DataPlane, startDataPlane } from '../../local/data-plane.ts';
import { FAULTS } from '../../local/data-plane-faults.ts';
import { type FaultProxy, startFaultProxy } from '../../local/fault-proxy.ts';
import { LOCAL_CREDENTIALS, type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const tlsFolder = join(import.meta.dirname, '../fixtures/tls');
const tlsFile = (name: string) => readFileSync(join(tlsFolder, name), 'utf8');
const ok = script({ send: 'fine' }, { send: '[DONE]' });

let puppet: PuppetAgent;
let secure: DataPlane;
let system: System | undefined;
let proxy: FaultProxy | undefined;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  secure = await startDataPlane({
    runtimes: [{ runtimeArn, target: puppet.target }],
    credentials: [LOCAL_CREDENTIALS],
    tls: { key: tlsFile('server-key.pem'), cert: tlsFile('server.pem') },
  });
});
afterEach(async () => {
  await system?.close();
  await proxy?.close();
  system = undefined;
  proxy = undefined;
});
afterAll(async () => {
  await secure.close();
  await puppet.close();
});

async function start(
  environment: Record<string, string> = {},
  more: Parameters<typeof startSystem>[0] = {},
): Promise<System> {
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    environment: {
      MAX_RETRIES: '1',
      RETRY_BASE_MS: '5',
      CONNECT_TIMEOUT_MS: '200',
      HANDSHAKE_TIMEOUT_MS: '500',
      ...environment,
    },
    ...more,
  });
  return system;
}

const overTls = (origin: string) => ({
  AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: origin,
  NODE_EXTRA_CA_CERTS: join(tlsFolder, 'ca.pem'),
});

describe('a data plane that cannot be reached', () => {
  test.each([
    ['refuses connections', () => 'http://127.0.0.1:1'],
    ['has no address', () => 'https://no-such-host.invalid'],
    ['speaks no TLS', () => puppet.target.replace('http:', 'https:')],
  ])('because it %s is 503', async (_how, endpoint) => {
    const { url } = await start({ AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: endpoint() });

    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify({ agentId: 'puppet', prompt: ok }),
    });

    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: 'AgentUnavailable',
      retryable: true,
      promptSent: false,
    });
    expect(response.headers.get('retry-after')).toBe('5');
  });

  test('whose certificate nobody has vouched for is 503', async () => {
    const { url } = await start({ AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: secure.url });

    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify({ agentId: 'puppet', prompt: ok }),
    });

    expect(response.status).toBe(503);
    expect(JSON.stringify(await response.json())).not.toMatch(/certificate|self.signed/i);
  });

  test.each([
    ['SSE before the commit point', '/', {}, 504],
    ['SSE after it', '/', { COMMIT_AFTER_MS: '0' }, 200],
    ['JSON', '/api/agents/invoke', { COMMIT_AFTER_MS: '0' }, 504],
  ])(
    'that takes connections and says nothing times out after two attempts, as %s',
    async (_mode, path, more, status) => {
      proxy = await startFaultProxy({ target: secure.url });
      proxy.blackhole(true);
      const { url } = await start({ ...overTls(proxy.url), ...more });
      const startedAt = performance.now();

      const response = await fetch(url + path, {
        method: 'POST',
        body: JSON.stringify({ agentId: 'puppet', prompt: ok }),
      });
      const body = await response.text();

      expect(response.status).toBe(status);
      expect(response.headers.get('retry-after')).toBe(status === 504 ? '5' : null);
      for (const part of [
        'AgentTimeout',
        '"retryable":true',
        '"promptSent":false',
        '"retryAfterSeconds":5',
      ]) {
        expect(body).toContain(part);
      }
      expect(proxy.accepted).toBe(2);
      expect(performance.now() - startedAt).toBeLessThan(4000);
    },
  );
});

describe('over TLS', () => {
  test('an answer is whole, and what was sent is what was signed', async () => {
    const { url } = await start(overTls(secure.url));

    const answer = await invokeSse(url, { agentId: 'puppet', prompt: ok });

    expect(answer.text).toBe('fine');
  });

  test('a connection that is reset with the prompt handed over interrupts, without a second prompt', async () => {
    proxy = await startFaultProxy({ target: secure.url });
    const { url } = await start(overTls(proxy.url));
    const sessionId = newSessionId();

    const pending = invokeSse(url, { agentId: 'puppet', prompt: script({ send: 'half' }), sessionId });
    await until(
      () => puppet.prompts.some((prompt) => prompt.sessionId === sessionId),
      'the agent has the prompt',
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    proxy.reset();

    expect((await pending).last).toMatchObject({ code: 'AgentInterrupted', promptSent: true, partial: true });
    expect(puppet.prompts.filter((prompt) => prompt.sessionId === sessionId)).toHaveLength(1);
  });

  test('a half-open connection is found by its missing pongs, and the text so far is there', async () => {
    proxy = await startFaultProxy({ target: secure.url });
    const { url } = await start({ ...overTls(proxy.url), PING_INTERVAL_MS: '80' });

    const pending = invokeSse(url, {
      agentId: 'puppet',
      prompt: script({ send: 'half' }, { sleepMs: 60_000 }),
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    proxy.blackhole(true);
    const answer = await pending;

    expect(answer.text).toBe('half');
    expect(answer.last).toMatchObject({ code: 'AgentInterrupted', error: expect.stringContaining('pings') });
  });
});

describe('pings', () => {
  test('keep a silent exchange alive past the idle limit of the service', async () => {
    const { url } = await start(
      { PING_INTERVAL_MS: '100' },
      { dataPlane: { quotas: { idleTimeoutMs: 250 } } },
    );

    const answer = await invokeSse(url, {
      agentId: 'puppet',
      prompt: script({ send: 'be' }, { sleepMs: 900 }, { send: 'fore' }, { send: '[DONE]' }),
    });

    expect(answer.text).toBe('before');
    expect(answer.last).toMatchObject({ done: true });
  });

  test.each([
    ['an agent that stops answering them', script({ send: 'a' }, { stopPongs: true }, { sleepMs: 60_000 })],
    ['a network that swallows the answers', script({ send: 'a' }, { sleepMs: 60_000 })],
  ])('end the exchange with %s', async (how, prompt) => {
    const { url, dataPlane } = await start({ PING_INTERVAL_MS: '60' });
    if (how.startsWith('a network')) dataPlane.fault(runtimeArn, FAULTS.swallowPongs());

    const answer = await invokeSse(url, { agentId: 'puppet', prompt });

    expect(answer.last).toMatchObject({ code: 'AgentInterrupted', partial: true, promptSent: true });
  });

  test('do not end it while a reader stalls for three intervals', async () => {
    const { url } = await start({ PING_INTERVAL_MS: '200' });
    const count = 200;
    const prompt = script({ send: 'y'.repeat(15_000), times: count, everyMs: 4 }, { send: '[DONE]' });
    const response = await fetch(`${url}/api/agents/invoke`, {
      method: 'POST',
      body: JSON.stringify({ agentId: 'puppet', prompt }),
    });
    const reader = response.body?.getReader();
    await reader?.read();

    await new Promise((resolve) => setTimeout(resolve, 1500));

    let length = 0;
    for (let part = await reader?.read(); !part?.done; part = await reader?.read())
      length += part?.value?.length ?? 0;
    expect(length).toBeGreaterThan(15_000 * (count - 10));
    await until(
      () => system?.logs.some(({ line }) => line.includes('"outcome":"complete"')) === true,
      'it is complete',
    );
  });
});

test('a port that nobody listens on any more is retried until the limit', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const { url } = await start({
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    MAX_RETRIES: '3',
  });

  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ agentId: 'puppet', prompt: ok }),
  });

  expect(response.status).toBe(503);
  expect(connections).toBe(4);
  server.close();
});
