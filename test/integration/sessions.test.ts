import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type System, type SystemOptions, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, readSse, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const ok = script({ send: 'fine' }, { send: '[DONE]' });
/** Says twenty numbered words, one every so often. */
const slow = (everyMs: number) => script({ send: 'w{i} ', times: 20, everyMs }, { send: '[DONE]' });
/** Begins, and is never over by itself while a test waits. */
const endless = script({ send: 'begun' }, { sleepMs: 25_000 }, { send: '[DONE]' });
const WORDS = Array.from({ length: 20 }, (_, i) => `w${i} `).join('');

let puppet: PuppetAgent;
let system: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
afterEach(() => system.close());
afterAll(() => puppet.close());

/** The store has all the time that a busy machine needs. */
async function start({ environment, ...options }: SystemOptions = {}): Promise<void> {
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    sessions: true,
    environment: { SESSION_STORE_WAIT_MS: '5000', ...environment },
    ...options,
  });
}

const sessions = '/api/agents/puppet/sessions';
const ask = (sessionId: string, prompt: string, init: RequestInit = {}) =>
  invokeSse(system.url, { agentId: 'puppet', prompt, sessionId }, init);
const at = (path: string, init: RequestInit = {}) => fetch(`${system.url}${sessions}${path}`, init);
const json = async (path: string, init: RequestInit = {}) => {
  const answer = await at(path, init);
  return { status: answer.status, body: await answer.json() };
};
const stream = async (sessionId: string, headers: Record<string, string> = {}, query = '') =>
  readSse(await at(`/${sessionId}/stream${query}`, { headers }));
const promptsOf = (sessionId: string) => puppet.prompts.filter((asked) => asked.sessionId === sessionId);
/** A prompt waits for the store, which has five seconds itself. */
const isRunning = (sessionId: string) =>
  until(() => promptsOf(sessionId).length > 0, 'the agent is asked', 15_000);

describe('a session that is warmed', () => {
  test('is up when its first prompt comes, which finds the connection open', async () => {
    await start({ sessions: false, dataPlane: { sessionStartMs: 500 } });

    const begun = await json('', { method: 'POST' });
    const { sessionId } = begun.body;
    await until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'all is idle');
    const answered = await ask(sessionId, ok);

    expect(begun).toEqual({
      status: 201,
      body: {
        sessionId: expect.stringMatching(/^[\w-]{36}$/),
        agentId: 'puppet',
        startMs: expect.any(Number),
      },
    });
    expect(begun.body.startMs).toBeGreaterThanOrEqual(490);
    expect(answered.text).toBe('fine');
    expect(system.dataPlane.upgrades).toBe(1);
    expect(puppet.upgrades.at(-1)?.['x-amzn-bedrock-agentcore-runtime-session-id']).toBe(sessionId);
  });

  test('has the id that the caller gives, or a new one in its place, which is told', async () => {
    await start({ sessions: false });
    const sessionId = newSessionId();

    const given = await json('', { method: 'POST', body: JSON.stringify({ sessionId }) });
    const replaced = await json('', { method: 'POST', body: JSON.stringify({ sessionId: 'short' }) });

    expect(given.body).toEqual({ sessionId, agentId: 'puppet', startMs: expect.any(Number) });
    expect(replaced.body).toMatchObject({ sessionReplaced: true });
  });

  test('is refused as an answer is that cannot begin', async () => {
    await start({ sessions: false });

    const unknown = await fetch(`${system.url}/api/agents/nobody/sessions`, { method: 'POST' });
    const malformed = await json('', { method: 'POST', body: 'no JSON' });

    expect([unknown.status, malformed.status]).toEqual([404, 400]);
    expect(malformed.body).toMatchObject({ error: 'BadRequest', details: { fields: ['body'] } });
  });

  test('is no route where it is switched off', async () => {
    await start({ sessions: false, environment: { WARM_SESSIONS: 'false' } });

    const { status, body } = await json('', { method: 'POST' });

    expect([status, body.error]).toEqual([404, 'NotFound']);
  });
});

describe('a session that is ended', () => {
  test('loses its microVM and its kept connection, and its id serves again', async () => {
    await start({ sessions: false });
    const sessionId = newSessionId();
    await ask(sessionId, ok);

    const ended = await json(`/${sessionId}`, { method: 'DELETE' });
    const again = await json(`/${sessionId}`, { method: 'DELETE' });
    const answered = await ask(sessionId, ok);

    expect([ended, again]).toEqual([
      { status: 200, body: { ended: true } },
      { status: 200, body: { ended: false } },
    ]);
    expect(answered.text).toBe('fine');
    expect(system.dataPlane.upgrades).toBe(2);
  });
});

describe('without a store', () => {
  test('the routes that need one are off, and events have no ids', async () => {
    await start({ sessions: false });
    const sessionId = newSessionId();

    const { raw } = await ask(sessionId, ok);
    const answers = [
      await json(`/${sessionId}`),
      await json(`/${sessionId}/stream`),
      await json(`/${sessionId}/stop`, { method: 'POST' }),
    ];

    expect(raw).not.toMatch(/^id:/m);
    expect(answers.map(({ status, body }) => [status, body.error])).toEqual(Array(3).fill([404, 'NotFound']));
  });
});

describe('one answer at a time', () => {
  test('a second prompt of a session is refused while the first is answered, and not sent', async () => {
    await start();
    const sessionId = newSessionId();

    const first = ask(sessionId, endless);
    await isRunning(sessionId);
    const second = await fetch(system.url, {
      method: 'POST',
      body: JSON.stringify({ agentId: 'puppet', prompt: ok, sessionId }),
    });
    const refusal = await second.json();
    await json(`/${sessionId}/stop`, { method: 'POST' });
    const { text, events } = await first;
    const third = await ask(sessionId, ok);

    expect([second.status, second.headers.get('retry-after')]).toEqual([409, '1']);
    expect(refusal).toMatchObject({
      error: 'SessionBusy',
      retryable: true,
      promptSent: false,
      details: { sessionId, requestId: events[0]?.data.requestId },
    });
    expect(text).toBe('begun');
    expect(third.text).toBe('fine');
    expect(promptsOf(sessionId)).toHaveLength(2);
  });

  test('is told in-band where answers begin at once, and may be tried again as well', async () => {
    await start({ environment: { COMMIT_AFTER_MS: '0' } });
    const sessionId = newSessionId();

    const first = ask(sessionId, endless);
    await isRunning(sessionId);
    const second = await ask(sessionId, ok);
    await json(`/${sessionId}/stop`, { method: 'POST' });

    expect(second.status).toBe(200);
    expect(second.last).toMatchObject({ code: 'SessionBusy', retryable: true, promptSent: false });
    expect((await first).text).toBe('begun');
    expect(promptsOf(sessionId)).toHaveLength(1);
  });

  test('other sessions are answered meanwhile', async () => {
    await start();
    const [one, other] = [newSessionId(), newSessionId()];

    const first = ask(one, endless);
    await isRunning(one);
    const second = await ask(other, ok);
    await json(`/${one}/stop`, { method: 'POST' });

    expect(second.text).toBe('fine');
    expect((await first).text).toBe('begun');
  });
});

describe('an answer that is stopped', () => {
  test('ends soon, keeps its text and lets the agent know', async () => {
    await start();
    const sessionId = newSessionId();

    const answering = ask(sessionId, endless);
    await isRunning(sessionId);
    const stoppedAt = performance.now();
    const stopped = await json(`/${sessionId}/stop`, { method: 'POST' });
    const { last, text } = await answering;
    const tookMs = performance.now() - stoppedAt;

    expect(stopped).toEqual({ status: 200, body: { stopped: true } });
    expect(last).toMatchObject({ done: true, stopped: true });
    expect(text).toBe('begun');
    // A second is what it takes; the rest is for a busy machine.
    expect(tookMs).toBeLessThan(5000);
    await until(() => puppet.open.size === 0, 'the connection to the agent is closed');
  });

  test('ends also in silence, before any text', async () => {
    await start();
    const sessionId = newSessionId();

    const answering = ask(sessionId, script({ sleepMs: 20_000 }, { send: '[DONE]' }));
    await isRunning(sessionId);
    await json(`/${sessionId}/stop`, { method: 'POST' });
    const { status, last } = await answering;

    expect([status, last]).toEqual([200, expect.objectContaining({ done: true, stopped: true, chunks: 0 })]);
  });

  test('is false where none runs', async () => {
    await start();
    const sessionId = newSessionId();
    await ask(sessionId, ok);

    const { body } = await json(`/${sessionId}/stop`, { method: 'POST' });
    const next = await ask(sessionId, ok);

    expect(body).toEqual({ stopped: false });
    expect(next.last).not.toHaveProperty('stopped');
  });
});

describe('an answer that is read again', () => {
  test('is the same, event by event, and its events tell their places', async () => {
    await start();
    const sessionId = newSessionId();
    const long = script({ send: `"${'äöü😀'.repeat(3000)}"` }, { send: 'end' }, { send: '[DONE]' });

    const { events } = await ask(sessionId, long);
    const again = await stream(sessionId);

    const requestId = events[0]?.data.requestId;
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => `${requestId}:${i}`));
    const plain = (all: typeof events) => all.map(({ id, data }) => ({ id, data }));
    expect(plain(again.events)).toEqual(plain(events));
  });

  test.each([0, 1, 2, 4])('goes on behind event %i, by header and by query', async (after) => {
    await start();
    const sessionId = newSessionId();
    const { events } = await ask(sessionId, script({ send: 'w{i} ', times: 3 }, { send: '[DONE]' }));
    const { id = '' } = events[after] ?? {};

    const byHeader = await stream(sessionId, { 'last-event-id': id });
    const byQuery = await stream(sessionId, {}, `?after=${id}`);

    const rest = events.slice(after + 1).map(({ data }) => data);
    if (rest.length === 0) expect([byHeader.status, byQuery.status]).toEqual([204, 204]);
    else expect([byHeader, byQuery].map((all) => all.events.map(({ data }) => data))).toEqual([rest, rest]);
  });

  test('is followed live while it runs, and goes on after its caller has left', async () => {
    await start();
    const sessionId = newSessionId();
    const leaving = new AbortController();

    const first = ask(sessionId, slow(250), { signal: leaving.signal }).catch(() => {});
    await isRunning(sessionId);
    leaving.abort();
    await first;
    const state = await json(`/${sessionId}`);
    const { text, events } = await stream(sessionId);

    expect(state.body).toMatchObject({ sessionId, agentId: 'puppet', state: 'running' });
    expect(text).toBe(WORDS);
    const times = events.map(({ atMs }) => atMs);
    expect((times.at(-1) as number) - (times[0] as number)).toBeGreaterThan(500);
    const idle = await json(`/${sessionId}`);
    expect(idle.body).toMatchObject({ state: 'idle', lastEventId: events.at(-1)?.id });
  });

  test('is resumed by the request that asked for it, which sends no prompt', async () => {
    await start();
    const sessionId = newSessionId();
    const { events } = await ask(sessionId, ok);

    const again = await ask(sessionId, ok, { headers: { 'last-event-id': events[0]?.id ?? '' } });
    const unnamed = await invokeSse(
      system.url,
      { agentId: 'puppet', prompt: ok },
      { headers: { 'last-event-id': events[1]?.id ?? '' } },
    );
    const ofAnother = await ask(newSessionId(), ok, { headers: { 'last-event-id': events[1]?.id ?? '' } });
    const unknown = await ask(sessionId, ok, { headers: { 'last-event-id': `${crypto.randomUUID()}:1` } });

    expect(again.events.map(({ id }) => id)).toEqual(events.slice(1).map(({ id }) => id));
    expect(unnamed.events.map(({ id }) => id)).toEqual(events.slice(2).map(({ id }) => id));
    expect([ofAnother.status, unknown.status]).toEqual([204, 204]);
    expect(promptsOf(sessionId)).toHaveLength(1);
  });

  test('has its failure at its end', async () => {
    await start();
    const sessionId = newSessionId();

    const { last } = await ask(sessionId, script({ send: 'some' }, { close: 1011, reason: 'broken' }));
    const again = await stream(sessionId);

    expect(last).toMatchObject({ code: 'AgentFailed', partial: true });
    expect(again.last).toEqual(last);
  });

  test('was asked for as JSON, too', async () => {
    await start();
    const sessionId = newSessionId();

    const answer = await fetch(`${system.url}/api/agents/invoke`, {
      method: 'POST',
      body: JSON.stringify({ agentId: 'puppet', prompt: ok, sessionId }),
    });
    const { response } = await answer.json();
    const again = await stream(sessionId);

    expect([response, again.text]).toEqual(['fine', 'fine']);
  });

  test('is not followed for HEAD, which has the status and headers of GET at once', async () => {
    await start();
    const sessionId = newSessionId();
    const headersOf = ({ status, headers }: Response) => [
      status,
      ...['content-type', 'cache-control', 'x-session-id'].map((name) => headers.get(name)),
    ];

    const answering = ask(sessionId, endless);
    await isRunning(sessionId);
    const head = headersOf(await at(`/${sessionId}/stream`, { method: 'HEAD' }));
    const isBusy = () => system.runtime.environments.filter(({ state }) => state === 'busy').length;
    await until(() => isBusy() === 1, 'only the answer itself is running');
    await json(`/${sessionId}/stop`, { method: 'POST' });
    const { last } = await answering;
    const got = await at(`/${sessionId}/stream`);
    const read = await at(`/${sessionId}/stream?after=${(await readSse(got)).events.at(-1)?.id}`, {
      method: 'HEAD',
    });

    expect(last).toMatchObject({ stopped: true });
    expect(head).toEqual(headersOf(got));
    expect(read.status).toBe(204);
  });

  test('is none where the session has had no answer', async () => {
    await start();
    const sessionId = newSessionId();

    const none = await stream(sessionId);
    const state = await json(`/${sessionId}`);

    expect(none.status).toBe(204);
    expect(state.body).toEqual({ sessionId, agentId: 'puppet', state: 'unknown' });
  });
});

describe('a chat of the AI SDK', () => {
  test('is read on after a reload as long as its answer runs, and no longer', async () => {
    await start();
    const sessionId = newSessionId();
    const chat = (id: string, query = '') => fetch(`${system.url}/api/chat/${id}/stream${query}`);

    const first = ask(sessionId, slow(250));
    await isRunning(sessionId);
    const [byChat, bySession] = await Promise.all([
      chat(sessionId),
      chat('short', `?sessionId=${sessionId}`),
    ]);
    const streams = await Promise.all([byChat.text(), bySession.text()]);
    const { events } = await first;
    const later = [await chat(sessionId), await chat('short')];

    const deltas = (text: string) =>
      [...text.matchAll(/"delta":"([^"]*)"/g)].map(([, delta]) => delta).join('');
    expect(byChat.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    for (const text of streams) {
      expect(text).toContain(`"messageId":"${events[0]?.data.requestId}"`);
      expect(deltas(text)).toBe(WORDS);
      expect(text).toMatch(/data: \[DONE\]\n\n$/);
    }
    expect(later.map(({ status }) => status)).toEqual([204, 204]);
  });
});
