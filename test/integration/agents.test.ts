import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { type LocalAgentId, type LocalAgents, startAgents } from '../../local/agents/agents.ts';
import { newSessionId, until } from '../fixtures/sse.ts';

let local: LocalAgents;

beforeAll(async () => {
  local = await startAgents({ tokenDelayMs: 0 });
});
afterAll(() => local.close());

const agentOf = (id: LocalAgentId) => {
  const agent = local.agents.find((one) => one.id === id);
  if (!agent) throw new Error(`no agent ${id}`);
  return agent;
};

async function connect(id: LocalAgentId, sessionId = newSessionId()) {
  const ws = new WebSocket(`${agentOf(id).target.replace('http', 'ws')}/ws`, {
    headers: { 'x-amzn-bedrock-agentcore-runtime-session-id': sessionId },
  });
  const messages: string[] = [];
  ws.on('message', (data) => messages.push(data.toString()));
  const closed = new Promise<number>((resolve) => ws.once('close', resolve));
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  const ended = () =>
    ws.readyState === WebSocket.CLOSED ||
    /^data: \[DONE\]\n\n$|^\{"type":"complete"\}$/.test(messages.at(-1) ?? '');
  /** The messages of one answer, its end included. */
  const ask = async (prompt: string) => {
    messages.length = 0;
    ws.send(JSON.stringify({ prompt, sessionId }));
    await until(ended, 'the answer has ended');
    return [...messages];
  };
  return { ws, ask, closed };
}

const sseText = (messages: string[]) =>
  messages
    .slice(0, -1)
    .map((message) => JSON.parse(message.replace(/^data: /, '')).chunk)
    .join('');
const jsonText = (messages: string[]) =>
  messages.map((message) => JSON.parse(message).content ?? '').join('');

describe('OnboardingAgent', () => {
  test('sends Markdown with a template as server-sent events, and keeps the socket for the next turn', async () => {
    const { ws, ask } = await connect('onboarding');

    const first = sseText(await ask('a site with the canary c-1'));
    const second = sseText(await ask('a queue'));

    for (const word of ['architecture', 'resources', 'cost', 'deployment', 'summary']) {
      expect(first).toMatch(new RegExp(`^#.*${word}`, 'im'));
    }
    expect(first).toMatch(/<cfn>\n[^<]*AWS::S3::Bucket[^<]*<\/cfn>/);
    expect(first).toContain('c-1');
    expect(second).toContain('Earlier in this session you asked for: "a site with the canary c-1"');
    ws.terminate();
  });

  test('remembers nothing of another session, and all of its own over a new socket', async () => {
    const sessionId = newSessionId();
    const { ws, ask } = await connect('onboarding', sessionId);
    await ask('canary c-2');
    ws.terminate();

    const [again, other] = [await connect('onboarding', sessionId), await connect('onboarding')];

    expect(sseText(await again.ask('a table'))).toContain('c-2');
    expect(sseText(await other.ask('a table'))).not.toContain('c-2');
    expect(await agentOf('onboarding').promptsReceived(sessionId)).toBe(2);
    again.ws.terminate();
    other.ws.terminate();
  });

  test('answers over /invocations, too', async () => {
    const response = await fetch(`${agentOf('onboarding').target}/invocations`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        'x-amzn-bedrock-agentcore-runtime-session-id': newSessionId(),
      },
      body: JSON.stringify({ prompt: 'a bucket with the canary c-3' }),
    });

    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(await response.text()).toContain('c-3');
  });
});

test('ProvisioningAgent mixes text with structured progress, and ends with a typed message', async () => {
  const { ws, ask } = await connect('provisioning');

  const messages = await ask('the canary c-4');

  expect(jsonText(messages)).toMatch(/c-4[\s\S]*Creating the bucket … done/);
  expect(messages.filter((message) => JSON.parse(message).type === 'progress')).toHaveLength(4);
  expect(messages.at(-1)).toBe('{"type":"complete"}');
  ws.terminate();
});

test('MWCAgent relays both others as plain text, and ends by closing', async () => {
  const { ask, closed } = await connect('mwc');

  const text = (await ask('the canary c-5')).join('');

  expect(text).toMatch(
    /# Architecture for "the canary c-5"[\s\S]*# Deploying "the canary c-5"[\s\S]*All done/,
  );
  expect(text).not.toMatch(/data:|"type"/);
  expect(await closed).toBe(1005);
});

test('a prompt of a size is answered with that much text', async () => {
  const { ws, ask } = await connect('provisioning');

  expect(jsonText(await ask('repeat 1000000 bytes'))).toHaveLength(1_000_000);
  ws.terminate();
});

test.each<LocalAgentId>(['onboarding', 'provisioning', 'mwc'])(
  '%s breaks off when it is asked to, without a close frame, and answers the next prompt',
  async (id) => {
    const { ws, closed } = await connect(id);
    const pieces: string[] = [];
    ws.on('message', (data) => pieces.push(data.toString()));

    ws.send(JSON.stringify({ prompt: 'break off' }));

    expect(await closed).toBe(1006);
    // What was under way when the connection ended may be lost.
    expect(pieces.length).toBeLessThanOrEqual(5);
    const next = await connect(id);
    next.ws.send(JSON.stringify({ prompt: 'a queue' }));
    await new Promise((resolve) => next.ws.once('message', resolve));
    next.ws.terminate();
  },
);

test('a message that is no prompt is answered with 1011, and the agent lives', async () => {
  for (const message of ['not JSON', '{"prompt":1}', 'null']) {
    const { ws, closed } = await connect('mwc');
    ws.send(message);

    expect(await closed).toBe(1011);
  }
  expect(await agentOf('mwc').promptsReceived()).toBeGreaterThanOrEqual(0);
});

test('agents end with a parent that is killed', async () => {
  const program = `
    import { startAgents } from ${JSON.stringify(join(import.meta.dirname, '../../local/agents/agents.ts'))};
    const { agents } = await startAgents({ only: ['onboarding'] });
    console.log(agents[0].target);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const target = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (data) => resolve(String(data).trim())),
  );
  expect((await fetch(`${target}/ping`)).status).toBe(200);

  parent.kill('SIGKILL');

  let alive = true;
  await until(() => {
    void fetch(`${target}/ping`).catch(() => {
      alive = false;
    });
    return !alive;
  }, 'it is gone');
});
