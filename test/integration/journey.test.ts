import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fillerText } from '../../local/agents/text.ts';
import { type System, startSystem } from '../../local/system.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ agents: { tokenDelayMs: 5 } });
});
afterAll(() => system.close());

const idle = () =>
  until(
    () => system.runtime.environments.every(({ state }) => state === 'idle'),
    'every environment is idle',
  );

describe('an answer through every room', () => {
  test.each([
    ['onboarding', 'onboarding', '<cfn>'],
    ['OnboardingAgent', 'onboarding', '<cfn>'],
    ['provisioning', 'provisioning', '"type":"progress"'],
    ['ProvisioningAgent', 'provisioning', 'Creating the bucket'],
    ['mwc', 'mwc', '--- ProvisioningAgent ---'],
    ['MWCAgent', 'mwc', '--- OnboardingAgent ---'],
  ])('of %s arrives event by event', async (agentId, id, content) => {
    const sessionId = newSessionId();

    const answer = await invokeSse(system.url, { agentId, prompt: 'a static website', sessionId });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('x-session-id')).toBe(sessionId);
    expect(answer.events[0]?.data).toEqual({
      start: true,
      sessionId,
      agentId: id,
      requestId: expect.any(String),
    });
    expect(answer.text).toContain(content);
    expect(answer.text).toContain('a static website');
    expect(answer.last).toEqual({
      done: true,
      sessionId,
      chunks: answer.events.length - 2,
      bytes: Buffer.byteLength(answer.text),
      durationMs: expect.any(Number),
    });
    // It was seen while it was being written, not in one burst at its end.
    const [first, last] = [answer.events[1]?.atMs ?? 0, answer.events.at(-1)?.atMs ?? 0];
    expect(last - first).toBeGreaterThan(100);
  });

  test('is a JSON document where that is asked for', async () => {
    const body = JSON.stringify({ agentId: 'onboarding', prompt: 'a queue' });

    const byRoute = await fetch(`${system.url}/api/agents/invoke`, { method: 'POST', body });
    const byAccept = await fetch(system.url, {
      method: 'POST',
      body,
      headers: { accept: 'application/json' },
    });

    for (const response of [byRoute, byAccept]) {
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(await response.json()).toEqual({
        sessionId: response.headers.get('x-session-id'),
        agentId: 'onboarding',
        response: expect.stringContaining('# Architecture for "a queue"'),
        metadata: { chunks: expect.any(Number), durationMs: expect.any(Number) },
      });
    }
  });

  test('knows what the session has asked before, and no other session does', async () => {
    const sessionId = newSessionId();
    await invokeSse(system.url, { agentId: 'onboarding', prompt: 'canary-4711', sessionId });

    const second = await invokeSse(system.url, { agentId: 'onboarding', prompt: 'a second', sessionId });
    const other = await invokeSse(system.url, { agentId: 'onboarding', prompt: 'a second' });

    expect(second.text).toContain('Earlier in this session you asked for: "canary-4711"');
    expect(other.text).not.toContain('canary-4711');
  });

  test('of 5 MB is whole', async () => {
    const answer = await invokeSse(system.url, { agentId: 'onboarding', prompt: 'repeat 5000000 bytes' });

    expect(answer.text === [...fillerText(5_000_000)].join('')).toBe(true);
  });

  test('finds the agent by its runtime ARN', async () => {
    const agentId = system.agents[0]?.runtimeArn;

    const answer = await invokeSse(system.url, { agentId, prompt: 'an API' });

    expect(answer.last).toMatchObject({ done: true });
  });
});

describe('concurrent requests', () => {
  test('are served by ten environments; the eleventh is throttled and the environments serve on', async () => {
    await idle();
    const prompts = Array.from(
      { length: 10 },
      (_, i) => `a website with the canary ${i}-${crypto.randomUUID()}`,
    );

    // None of the ten is over before the eleventh is there.
    const refused = Promise.withResolvers<false>();
    const arn = system.agents.find(({ id }) => id === 'onboarding')?.runtimeArn ?? '';
    system.dataPlane.fault(arn, { at: 'upgrade', act: () => refused.promise }, 10);
    const ten = prompts.map((prompt) => invokeSse(system.url, { agentId: 'onboarding', prompt }));
    await until(
      () => system.runtime.environments.filter(({ state }) => state !== 'idle').length === 10,
      'ten run',
    );
    const eleventh = await fetch(system.url, { method: 'POST', body: '{}' });
    refused.resolve(false);
    const answers = await Promise.all(ten);

    expect(eleventh.status).toBe(429);
    expect(await eleventh.json()).toMatchObject({ Reason: 'ConcurrentInvocationLimitExceeded' });
    answers.forEach((answer, i) => {
      expect(answer.last).toMatchObject({ done: true });
      expect(answer.text).toContain(prompts[i]);
      for (const other of prompts.toSpliced(i, 1)) expect(answer.text).not.toContain(other);
    });
    await idle();
    const [first] = system.runtime.environments;
    const served = first?.invocations ?? 0;
    for (let i = 0; i < 10 && first?.invocations === served; i += 1) {
      await Promise.all(prompts.map(() => fetch(`${system.url}/health`)));
      await idle();
    }
    expect(first?.invocations).toBeGreaterThan(served);
  });
});

describe('a request that cannot be served', () => {
  test.each([
    ['an agent that is not configured', { agentId: 'nobody', prompt: 'x' }, 404, 'AgentNotFound', 'agentId'],
    ['a body that is no object', [], 400, 'BadRequest', 'body'],
    ['a missing prompt', { agentId: 'mwc' }, 400, 'BadRequest', 'prompt'],
    ['a malformed ARN', { agentId: 'arn:aws:s3:::bucket', prompt: 'x' }, 400, 'BadRequest', 'agentId'],
  ])('%s is refused and the process lives', async (_what, body, status, code, field) => {
    await idle();
    const pids = system.runtime.environments.map(({ pid }) => pid);

    const response = await fetch(system.url, { method: 'POST', body: JSON.stringify(body) });

    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      error: code,
      message: expect.stringContaining(`"${field}"`),
      requestId: response.headers.get('x-amzn-requestid'),
      retryable: false,
      promptSent: false,
      details: expect.objectContaining({ fields: [field] }),
    });
    await idle();
    expect(system.runtime.environments.map(({ pid }) => pid)).toEqual(pids);
  });

  test('a wrong secret key is 401, told apart from a missing permission', async () => {
    const wrong = await startSystem({
      runtimes: system.agents.map(({ promptsReceived: _asked, ...agent }) => agent),
      environment: { AWS_SECRET_ACCESS_KEY: 'not-the-secret-access-key' },
    });
    try {
      const response = await fetch(wrong.url, {
        method: 'POST',
        body: JSON.stringify({ agentId: 'onboarding', prompt: 'x' }),
      });

      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({
        error: 'Unauthenticated',
        retryable: false,
        promptSent: false,
        details: { upstreamRequestId: expect.any(String) },
      });
      await until(() => wrong.runtime.environments[0]?.state === 'idle', 'the environment is idle again');
      expect((await fetch(`${wrong.url}/health`)).status).toBe(200);
      expect(wrong.runtime.environments).toHaveLength(1);
    } finally {
      await wrong.close();
    }
  });
});
