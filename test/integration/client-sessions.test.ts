import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AgentEvent } from '../../client/events.ts';
import { resumeAnswer, streamReconnecting } from '../../client/resume.ts';
import { createSession, endSession, stopAnswer } from '../../client/sessions.ts';
import { type FaultProxy, startFaultProxy } from '../../local/faults/fault-proxy.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const ok = script({ send: 'fine' }, { send: '[DONE]' });
const slow = script({ send: 'w{i} ', times: 12, everyMs: 250 }, { send: '[DONE]' });
const WORDS = Array.from({ length: 12 }, (_, i) => `w${i} `).join('');
const agentId = 'puppet';

let puppet: PuppetAgent;
let system: System;
/** Between the client and the service. */
let network: FaultProxy;

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
beforeEach(async () => {
  system = await startSystem({
    runtimes: [{ id: agentId, name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    sessions: true,
    environment: { SESSION_STORE_WAIT_MS: '5000' },
  });
  network = await startFaultProxy({ target: system.url });
});
afterEach(async () => {
  await network.close();
  await system.close();
});
afterAll(() => puppet.close());

const promptsOf = (sessionId: string) => puppet.prompts.filter((asked) => asked.sessionId === sessionId);
const textOf = (events: AgentEvent[]) =>
  events.map((event) => (event.type === 'chunk' ? event.text : '')).join('');

/** All events, telling each as it comes. */
async function collect(
  source: AsyncIterable<AgentEvent>,
  onEvent = (_count: number) => {},
): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of source) {
    events.push(event);
    onEvent(events.length);
  }
  return events;
}

describe('an answer whose connection is lost', () => {
  test('is read on, whole and once, and its prompt is sent once', async () => {
    const sessionId = newSessionId();

    const events = await collect(
      streamReconnecting(network.url, { agentId, sessionId, prompt: slow }),
      (count) => {
        if (count === 3 || count === 6) network.reset();
      },
    );

    expect(textOf(events)).toBe(WORDS);
    expect(events.filter(({ type }) => type === 'start')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: 'done', text: WORDS, chunks: 12 });
    expect(promptsOf(sessionId)).toHaveLength(1);
  });

  test('is found also before its first event, where the one before it is known', async () => {
    const sessionId = newSessionId();
    const [start] = await collect(streamReconnecting(network.url, { agentId, sessionId, prompt: ok }));
    const previousRequestId = start?.type === 'start' ? start.requestId : undefined;

    const second = collect(
      streamReconnecting(network.url, {
        agentId,
        sessionId,
        prompt: script({ sleepMs: 2000 }, { send: 'late' }, { send: '[DONE]' }),
        previousRequestId,
      }),
    );
    await until(() => promptsOf(sessionId).length === 2, 'the second prompt has arrived');
    network.reset();

    expect(textOf(await second)).toBe('late');
    expect(promptsOf(sessionId)).toHaveLength(2);
  });

  test('is given up as it was lost, where nothing tells which answer it was', async () => {
    const sessionId = newSessionId();

    const reading = collect(
      streamReconnecting(network.url, { agentId, sessionId, prompt: script({ sleepMs: 5000 }) }),
    );
    await until(() => promptsOf(sessionId).length === 1, 'the prompt has arrived');
    network.reset();

    await expect(reading).rejects.toMatchObject({ code: 'NetworkError', promptSent: true });
  });

  test('ends with the failure of the agent, which is not looked for again', async () => {
    const sessionId = newSessionId();
    const failing = script({ send: 'some ' }, { sleepMs: 1500 }, { close: 1011, reason: 'broken' });

    const reading = collect(
      streamReconnecting(network.url, { agentId, sessionId, prompt: failing }),
      (count) => {
        if (count === 2) network.reset();
      },
    );

    await expect(reading).rejects.toMatchObject({ code: 'AgentFailed', partialText: 'some ' });
  });

  test('is no more looked for once the reader has given up', async () => {
    const sessionId = newSessionId();
    const leaving = new AbortController();

    const reading = collect(
      streamReconnecting(network.url, { agentId, sessionId, prompt: slow, signal: leaving.signal }),
      (count) => {
        if (count !== 3) return;
        network.refuse(true);
        network.reset();
        setTimeout(() => leaving.abort(), 100);
      },
    );

    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('after a reload', () => {
  test('the session id is enough for the whole answer, which goes on', async () => {
    const sessionId = newSessionId();
    const leaving = new AbortController();
    await collect(
      streamReconnecting(network.url, { agentId, sessionId, prompt: slow, signal: leaving.signal }),
      (count) => count === 4 && leaving.abort(),
    ).catch(() => {});

    const events = await collect(resumeAnswer(network.url, { agentId, sessionId }), (count) => {
      if (count === 6) network.reset();
    });

    expect(textOf(events)).toBe(WORDS);
    expect(events.at(-1)).toMatchObject({ type: 'done', text: WORDS });
    expect(promptsOf(sessionId)).toHaveLength(1);
  });

  test('there is nothing of a session that had no answer', async () => {
    expect(await collect(resumeAnswer(network.url, { agentId, sessionId: newSessionId() }))).toEqual([]);
  });
});

describe('a session', () => {
  test('is created, stopped and ended', async () => {
    const session = await createSession(network.url, { agentId });
    const { sessionId } = session;
    const answering = collect(
      streamReconnecting(network.url, {
        agentId,
        sessionId,
        prompt: script({ send: 'some' }, { sleepMs: 25_000 }),
      }),
    );
    await until(() => promptsOf(sessionId).length === 1, 'the prompt has arrived');

    const stopped = await stopAnswer(network.url, { agentId, sessionId });
    const events = await answering;
    const ended = [
      await endSession(network.url, { agentId, sessionId }),
      await endSession(network.url, { agentId, sessionId }),
    ];

    expect(session).toEqual({ sessionId, agentId, startMs: expect.any(Number) });
    expect(stopped).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'done', stopped: true, text: 'some' });
    expect(ended).toEqual([true, false]);
    expect(await stopAnswer(network.url, { agentId, sessionId })).toBe(false);
  });

  test('fails as every request does', async () => {
    await expect(createSession(network.url, { agentId: 'nobody' })).rejects.toMatchObject({
      code: 'AgentNotFound',
      status: 404,
    });
  });
});

test('a service that keeps no sessions has the loss thrown, and nothing else', async () => {
  const plain = await startSystem({
    runtimes: [{ id: agentId, name: 'PuppetAgent', runtimeArn, target: puppet.target }],
  });
  const between = await startFaultProxy({ target: plain.url });
  const sessionId = newSessionId();
  const options = { agentId, sessionId, prompt: slow };

  const without = collect(streamReconnecting(between.url, options), (count) => {
    if (count === 3) between.reset();
  });
  await expect(without).rejects.toMatchObject({ code: 'StreamTruncated' });
  const early = collect(
    streamReconnecting(between.url, {
      ...options,
      prompt: script({ sleepMs: 3000 }),
      previousRequestId: null,
    }),
  );
  await until(() => promptsOf(sessionId).length === 2, 'the prompt has arrived');
  between.reset();
  await expect(early).rejects.toMatchObject({ code: 'NetworkError' });
  await expect(collect(resumeAnswer(between.url, { agentId, sessionId }))).rejects.toMatchObject({
    code: 'NotFound',
  });

  await between.close();
  await plain.close();
});
