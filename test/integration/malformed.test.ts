import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { signInvocation, signUpgrade } from '../../lambda/agentcore/signing.ts';
import { parseRuntimeArn } from '../../lambda/arn.ts';
import { LOCAL_STACK } from '../../local/aws/cloudformation.ts';
import { LOCAL_CREDENTIALS } from '../../local/system.ts';
import { almostSigned, MALFORMED, MALFORMED_FRAMES } from '../fixtures/malformed.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

const AGENTS = {
  onboarding: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/OnboardingAgent-a1B2c3D4e5',
  provisioning: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/ProvisioningAgent-f6G7h8I9j0',
  mwc: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/MWCAgent-k1L2m3N4o5',
};
const fixture = (name: string) => join(import.meta.dirname, '../fixtures', name);

let system: ChildProcess;
let output = '';
let urls: { url: string; dataPlane: string };

/** The whole system in a process of its own: what nobody has caught ends it, as it would end `npm start`. */
beforeAll(async () => {
  system = spawn(process.execPath, ['--import', fixture('report-ports.mjs'), fixture('whole-system.ts')], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [system.stdout, system.stderr]) {
    stream?.on('data', (data) => {
      output += data;
    });
  }
  const ready = /^ready (.*)$/m;
  await until(() => ready.test(output) || hasEnded(), 'it is ready', 50_000);
  urls = JSON.parse(ready.exec(output)?.[1] ?? '{}');
  await expectHealth();
}, 60_000);
afterAll(async () => {
  if (hasEnded()) return;
  system.kill();
  await once(system, 'exit');
});

const hasEnded = () => system.exitCode !== null || system.signalCode !== null;
/** What the system has said beside its ports. */
const complaints = () => output.replaceAll(/^(port|ready) .*\n/gm, '').trim();
const ports = () => [...new Set([...output.matchAll(/^port (\d+)$/gm)].map(([, port]) => Number(port)))];

/** Sends bytes, gives the server a moment to choke on them, and leaves: orderly or with a reset. */
async function send(port: number, bytes: string | Buffer, leave: 'end' | 'reset'): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}).resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(bytes);
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (leave === 'end') socket.end();
  else socket.resetAndDestroy();
  const patience = setTimeout(() => socket.destroy(), 50);
  await closed;
  clearTimeout(patience);
}

/** Sends each of them to each port, a few at a time: fewer than there are environments. */
async function sendAll(all: readonly (string | Buffer)[], leave: 'end' | 'reset'): Promise<void> {
  for (let i = 0; i < all.length; i += 5) {
    const some = all.slice(i, i + 5);
    await Promise.all(ports().flatMap((port) => some.map((bytes) => send(port, bytes, leave))));
  }
}

/** Nobody waits for the answers to what was malformed: until they are made they may take every environment. */
async function idle(): Promise<void> {
  const told = once(system, 'message', { signal: AbortSignal.timeout(20_000) });
  system.send('tell me when you are idle');
  await told;
}

/** Everything still serves: function, data plane and agents, CloudFormation. */
async function expectHealth(): Promise<void> {
  expect(complaints()).toBe('');
  expect(hasEnded()).toBe(false);
  await idle();
  const answers = await Promise.all(
    Object.keys(AGENTS).map((agentId) => invokeSse(urls.url, { agentId, prompt: 'a shop' })),
  );
  const stack = await fetch(`${urls.url}/api/stacks/status/${LOCAL_STACK}`);

  const ends = answers.map(({ status, raw }) => ({ status, end: raw.slice(-300) }));
  expect(ends).toEqual(ends.map(() => ({ status: 200, end: expect.stringContaining('"done":true') })));
  expect(stack.status).toBe(200);
}

test.each(['end', 'reset'] as const)(
  'no port fails of malformed requests that end with an %s',
  async (leave) => {
    await sendAll(Object.values(MALFORMED), leave);

    // Function URL, data plane, network, CloudFormation, three agents, three environments.
    expect(ports().length).toBeGreaterThanOrEqual(10);
    await expectHealth();
  },
  120_000,
);

test('no malformed target fails the data plane behind its first look at the signature', async () => {
  for (const bytes of almostSigned(LOCAL_CREDENTIALS)) {
    await send(Number(new URL(urls.dataPlane).port), bytes, 'end');
  }

  await expectHealth();
});

const requestTo = (arn: string) => ({
  arn: parseRuntimeArn(arn),
  origin: new URL(urls.dataPlane),
  qualifier: 'DEFAULT',
  sessionId: newSessionId(),
});

/** The bytes of an upgrade that the data plane lets through. */
async function handshake(arn: string): Promise<string> {
  const { url, headers } = await signUpgrade(requestTo(arn), async () => LOCAL_CREDENTIALS);
  const all = {
    host: url.host,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`GET ${url.pathname}${url.search} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

test('no agent, and no way to one, fails of malformed frames', async () => {
  const port = Number(new URL(urls.dataPlane).port);

  for (const frame of Object.values(MALFORMED_FRAMES)) {
    await Promise.all(
      Object.values(AGENTS).map(async (arn) => {
        await send(port, Buffer.concat([Buffer.from(await handshake(arn)), frame]), 'end');
      }),
    );
  }

  await expectHealth();
});

test('no agent, and no way to one, fails of malformed bodies', async () => {
  const statuses = [];
  for (const body of ['', '{', 'null', '[]', '"prompt"', '{"prompt":1}', '\0', '{"prompt":"a"']) {
    for (const arn of Object.values(AGENTS)) {
      const { url, headers } = await signInvocation(requestTo(arn), body, async () => LOCAL_CREDENTIALS);
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      statuses.push(answer.status);
      await answer.text();
    }
  }

  expect(statuses.filter((status) => ![200, 424].includes(status))).toEqual([]);
  await expectHealth();
});
