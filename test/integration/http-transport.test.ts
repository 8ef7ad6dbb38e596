import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalAgents, startAgents } from '../../local/agents/agents.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, type Step, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

/**
 * Agents that have only an HTTP entrypoint, as AgentCore's SDKs for TypeScript and Python encode their answers.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-http-protocol-contract.html
 */

const puppetArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const MAX_MESSAGE_BYTES = 100_000;

let local: LocalAgents;
let puppet: PuppetAgent;
let system: System;
let promptsBefore = 0;

beforeAll(async () => {
  local = await startAgents({ tokenDelayMs: 0, only: ['onboarding', 'provisioning'] });
  puppet = await startPuppetAgent();
  const onSdk = local.agents.map(({ promptsReceived: _asked, ...agent }) => agent);
  const overHttp = { name: 'HttpAgent', runtimeArn: puppetArn, target: puppet.target, transport: 'http' };
  system = await startSystem({
    runtimes: [
      ...onSdk,
      ...onSdk.map((agent) => ({
        ...agent,
        id: `${agent.id}-http`,
        name: `${agent.name}-http`,
        transport: 'http',
      })),
      { ...overHttp, id: 'puppet' },
      { ...overHttp, id: 'hasty', name: 'HastyAgent', firstChunkTimeoutMs: 300, idleTimeoutMs: 500 },
    ],
    environment: { MAX_MESSAGE_BYTES: String(MAX_MESSAGE_BYTES), MAX_RETRIES: '0' },
  });
});
beforeEach(() => {
  promptsBefore = puppet.prompts.length;
});
afterAll(async () => {
  await system.close();
  await local.close();
  await puppet.close();
});

const ask = (agentId: string, prompt: string, sessionId = newSessionId()) =>
  invokeSse(system.url, { agentId, prompt, sessionId });
const sse = (...steps: Step[]) => ask('puppet', script({ status: 200 }, ...steps));
const typed = (contentType: string, ...steps: Step[]) =>
  ask('puppet', script({ status: 200, contentType }, ...steps));
/** Every prompt was handed over once. */
const expectOnePrompt = () => expect(puppet.prompts).toHaveLength(promptsBefore + 1);

describe('an agent on the SDK for TypeScript', () => {
  test('says over HTTP what it says over its WebSocket, as it goes', async () => {
    const overSocket = await ask('onboarding', 'a static website');
    const overHttp = await ask('onboarding-http', 'a static website');

    expect(overHttp.text).toBe(overSocket.text);
    expect(overHttp.text).toContain('<cfn>');
    expect(overHttp.events.length).toBeGreaterThan(50);
    expect(overHttp.last).toMatchObject({ done: true, bytes: Buffer.byteLength(overHttp.text) });
  });

  test('gets each prompt once, in its session', async () => {
    const sessionId = newSessionId();
    const onboarding = local.agents.find(({ id }) => id === 'onboarding');

    await ask('onboarding-http', 'canary-31415', sessionId);
    const second = await ask('onboarding-http', 'a queue', sessionId);

    // The second one comes while the container is still closing the first one's connection.
    expect(second.text).toContain('Earlier in this session you asked for: "canary-31415"');
    expect(await onboarding?.promptsReceived(sessionId)).toBe(2);
  });

  test('passes structured events through among its text', async () => {
    const answer = await ask('provisioning-http', 'a bucket');

    expect(answer.text).toContain('Creating the bucket');
    expect(answer.text).toContain('"type":"progress"');
  });

  test('fails with an event of its own', async () => {
    const answer = await sse(
      { send: 'event: message\nid: 1\ndata: one line\ndata: and another\n\n: heartbeat\n\n' },
      { send: 'event: error\ndata: {"error":"no model"}\n\n' },
    );

    expect(answer.text).toBe('one line\nand another');
    expect(answer.last).toMatchObject({
      code: 'AgentFailed',
      partial: true,
      promptSent: true,
      details: { agentError: { message: 'no model' } },
    });
    expectOnePrompt();
  });
});

describe('an agent on the SDK for Python', () => {
  test('yields strings and objects, each as JSON, and ends with its body', async () => {
    const texts = ['# Räume\n', ' 語 "🎈" \\', '\n\ndata: x'];
    const sent = [...texts.map((text) => JSON.stringify(text)), '{"step":1}'].map(
      (json) => `data: ${json}\n\n`,
    );

    const answer = await sse(...sent.map((send) => ({ send })));

    expect(answer.events.slice(1, -1).map(({ data }) => data.chunk)).toEqual([...texts, '{"step":1}']);
    expect(answer.last).toMatchObject({ done: true });
    expectOnePrompt();
  });

  test('is understood wherever the network cuts, inside a character too', async () => {
    const body = Buffer.from('data: "Räume 🎈"\n\ndata: "und mehr"\n\n');
    const pieces = Array.from(body, (byte): Step[] => [
      { binary: Buffer.from([byte]).toString('base64') },
      { sleepMs: 1 },
    ]);

    const answer = await sse(...pieces.flat());

    expect(answer.events.slice(1, -1).map(({ data }) => data.chunk)).toEqual(['Räume 🎈', 'und mehr']);
  });

  test('fails in the middle of its answer', async () => {
    const failure = {
      error: 'boom',
      error_type: 'ValueError',
      message: 'An error occurred during streaming',
    };

    const answer = await sse(
      { send: 'data: "so far"\n\n' },
      { send: `data: ${JSON.stringify(failure)}\n\n` },
    );

    expect(answer.text).toBe('so far');
    expect(answer.last).toMatchObject({
      code: 'AgentFailed',
      details: { agentError: { type: 'ValueError' } },
    });
    expectOnePrompt();
  });

  test.each([400, 500])('fails with status %i, which AgentCore turns into its own', async (status) => {
    const answer = await ask(
      'puppet',
      script({ status, contentType: 'application/json' }, { send: '{"error":"no prompt"}' }),
    );

    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.raw)).toMatchObject({
      error: 'AgentFailed',
      promptSent: true,
      retryable: false,
    });
    expectOnePrompt();
  });
});

describe('an answer that is no event stream', () => {
  test.each([
    ['a JSON string', 'application/json', '"text \\"ü\\""', 'text "ü"'],
    ['an object with a text', 'application/json; charset=utf-8', '{"content":"text"}', 'text'],
    ['any other object', 'application/json', '{ "result": [1] }', '{ "result": [1] }'],
    ['plain text', 'text/plain; charset=utf-8', 'data: "x"\n\n{"chunk":1}', 'data: "x"\n\n{"chunk":1}'],
  ])('may be %s', async (_what, contentType, body, text) => {
    const [start, rest] = [body.slice(0, 5), body.slice(5)];

    const answer = await typed(contentType, { send: start }, { sleepMs: 30 }, { send: rest });

    expect(answer.text).toBe(text);
    expect(answer.last).toMatchObject({ done: true });
    expectOnePrompt();
  });

  test('is passed on as it comes where it is text', async () => {
    const answer = await typed('text/plain', { send: 'one' }, { sleepMs: 400 }, { send: 'two' });

    const [one, two] = answer.events.slice(1, -1);
    expect([one?.data.chunk, two?.data.chunk]).toEqual(['one', 'two']);
    expect((two?.atMs ?? 0) - (one?.atMs ?? 0)).toBeGreaterThan(200);
  });
});

describe('a limit', () => {
  test.each([
    ['a JSON answer', 'application/json', JSON.stringify('x'.repeat(MAX_MESSAGE_BYTES))],
    ['an event', 'text/event-stream', `data: ${JSON.stringify('x'.repeat(3 * MAX_MESSAGE_BYTES))}\n\n`],
    ['an event that does not end', 'text/event-stream', `data: "${'x'.repeat(3 * MAX_MESSAGE_BYTES)}`],
  ])('of the size ends %s that is longer', async (_what, contentType, body) => {
    const answer = await typed(contentType, { send: body }, { sleepMs: 5000 });

    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.raw)).toMatchObject({
      error: 'AgentFailed',
      message: expect.stringContaining('limit'),
      promptSent: true,
    });
    expectOnePrompt();
  });

  test('of the size leaves a JSON answer alone that just fits', async () => {
    const text = 'x'.repeat(MAX_MESSAGE_BYTES - 2);

    const answer = await typed('application/json', { send: JSON.stringify(text) });

    expect(answer.text === text).toBe(true);
  });

  test.each([
    ['no answer', script({ sleepMs: 60_000 })],
    ['an answer without a text', script({ status: 200 }, { send: ': ping\n\n' }, { sleepMs: 60_000 })],
  ])('of the time until the first text ends %s', async (_what, prompt) => {
    const answer = await ask('hasty', prompt);

    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.raw)).toMatchObject({
      error: 'AgentTimeout',
      message: expect.stringContaining('did not begin to answer within 0.3 s'),
      promptSent: true,
      retryable: false,
    });
    expectOnePrompt();
  });

  test('of the silence after text ends an answer, with the text so far', async () => {
    const answer = await ask(
      'hasty',
      script({ status: 200 }, { send: 'data: "so far"\n\n' }, { sleepMs: 60_000 }),
    );

    expect(answer.text).toBe('so far');
    expect(answer.last).toMatchObject({
      code: 'AgentTimeout',
      error: expect.stringContaining('sent nothing for 0.5 s'),
      partial: true,
      promptSent: true,
    });
    expectOnePrompt();
    await until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'all is idle');
  });
});
