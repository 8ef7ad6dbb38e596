import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import { CANARY, FAULT_MATRIX, matrixSystem, ok, runtimeArn } from '../fixtures/fault-matrix.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

const json = (value: unknown) => JSON.stringify(value);

let puppet: PuppetAgent;
/** Commits at the first text or an error. */
let lazy: System;
/** Commits at once: every failure is in-band. */
let eager: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  [lazy, eager] = await Promise.all([
    startSystem(matrixSystem(puppet.target)),
    startSystem(matrixSystem(puppet.target, { COMMIT_AFTER_MS: '0' })),
  ]);
});
afterAll(async () => {
  await Promise.all([lazy.close(), eager.close()]);
  await puppet.close();
});

const ENVIRONMENTS_IDLE = async (system: System) =>
  until(
    () => system.runtime.environments.every(({ state }) => state === 'idle'),
    'the environments are idle',
  );

describe.each(Object.entries(FAULT_MATRIX))('%s', (_name, row) => {
  const { fault, prompt = ok, agentId = 'puppet', status, code, promptSent = false, retryAfter } = row;
  const retryable = retryAfter !== undefined;
  const isComplete = code === 'complete';
  const text = row.text instanceof RegExp ? expect.stringMatching(row.text) : row.text;

  async function drive(system: System, call: (sessionId: string) => Promise<void>): Promise<void> {
    await ENVIRONMENTS_IDLE(system);
    const pid = system.runtime.environments[0]?.pid;
    const sessionId = newSessionId();
    if (row.before) {
      const { last } = await invokeSse(system.url, { agentId, prompt: row.before, sessionId });
      expect(last).toMatchObject({ done: true });
      await ENVIRONMENTS_IDLE(system);
    }
    const asked = system.dataPlane.requests.length;
    const logged = system.logs.length;
    system.dataPlane.fault(runtimeArn, fault);

    await call(sessionId);

    system.dataPlane.fault(runtimeArn, undefined);
    await ENVIRONMENTS_IDLE(system);
    if (row.attempts) expect(system.dataPlane.requests.length - asked).toBe(row.attempts);
    // Never twice; exactly once where it was handed over to an agent.
    const received = puppet.prompts.filter((taken) => taken.sessionId === sessionId).length;
    expect(received).toBe((promptSent && !(fault && agentId === 'http') ? 1 : 0) + (row.before ? 1 : 0));
    // What a stopped process has printed may still be on its way.
    const find = () =>
      system.logs
        .slice(logged)
        .map(({ line }) => JSON.parse(line))
        .find((entry) => entry.outcome === code && entry.level);
    await until(() => find() !== undefined, 'the log has the outcome');
    const summary = find();
    expect(summary).toMatchObject({ status, session_id: sessionId });
    if (!isComplete) {
      expect(summary).toMatchObject({ code, prompt_sent: promptSent });
      expect(['ERROR', 'WARN']).toContain(summary.level);
    }
    for (const secret of [
      CANARY,
      'the tool broke',
      'not for you',
      'local-secret-access-key',
      'local-session-token',
    ]) {
      expect(JSON.stringify(system.logs.slice(logged))).not.toContain(secret);
    }
    // The same process serves on.
    const next = await invokeSse(system.url, { agentId: 'puppet', prompt: ok });
    expect(next.text).toBe(CANARY);
    await ENVIRONMENTS_IDLE(system);
    expect(system.runtime.environments.map((environment) => environment.pid)).toEqual(
      pid ? [pid] : [expect.any(Number)],
    );
    // The other end of a half-open connection has not been told.
    if (row.halfOpen) for (const { socket } of system.dataPlane.connections) socket.destroy();
    await until(() => system.dataPlane.connections.size === 0, 'no socket is left');
  }

  const publicError = {
    retryable,
    promptSent,
    message: row.message ? expect.stringMatching(row.message) : expect.any(String),
  };

  test('as JSON', async () => {
    await drive(lazy, async (sessionId) => {
      const response = await fetch(`${lazy.url}/api/agents/invoke`, {
        method: 'POST',
        body: json({ agentId, prompt, sessionId }),
      });
      const body = (await response.json()) as Record<string, unknown>;

      expect(response.headers.get('x-session-id')).toBe(sessionId);
      if (row.text !== undefined) {
        expect(response.status).toBe(200);
        if (isComplete)
          return void expect(body).toEqual({
            sessionId,
            agentId,
            response: text,
            metadata: expect.anything(),
          });
        expect(body).toMatchObject({ response: text, incomplete: true, error: { code, ...publicError } });
        expect(body.error).toMatchObject(row.details ? { details: row.details } : {});
        return;
      }
      expectStatus(response, body, sessionId);
    });
  });

  test('as SSE before the commit point', async () => {
    await drive(lazy, async (sessionId) => {
      const answer = await invokeSse(lazy.url, { agentId, prompt, sessionId });

      if (row.text !== undefined) return expectInBand(answer, sessionId);
      expectStatus(answer, JSON.parse(answer.raw), sessionId);
    });
  });

  test('as SSE after it', async () => {
    await drive(eager, async (sessionId) => {
      expectInBand(await invokeSse(eager.url, { agentId, prompt, sessionId }), sessionId);
    });
  });

  function expectStatus(
    response: { status: number; headers: Headers },
    body: object,
    sessionId: string,
  ): void {
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(retryAfter === undefined ? null : String(retryAfter));
    expect(response.headers.get('x-session-id')).toBe(sessionId);
    expect(body).toMatchObject({
      error: code,
      requestId: response.headers.get('x-amzn-requestid'),
      ...publicError,
      details: { agentId, sessionId, ...row.details, ...(retryAfter && { retryAfterSeconds: retryAfter }) },
    });
    if (promptSent)
      expect(body).toHaveProperty('message', expect.stringContaining('The agent may have acted'));
    expectNothingLeaks(JSON.stringify(body));
  }

  function expectInBand(answer: Awaited<ReturnType<typeof invokeSse>>, sessionId: string): void {
    expect(answer.status).toBe(200);
    expect(answer.truncated).toBe(false);
    expect(answer.events[0]?.data).toMatchObject({ start: true, sessionId });
    expect(answer.text).toEqual(text ?? '');
    if (isComplete) return expect(answer.last).toMatchObject({ done: true, sessionId });
    expect(answer.last).toMatchObject({
      error: publicError.message,
      code,
      retryable,
      promptSent,
      partial: row.text !== undefined,
      sessionId,
      requestId: answer.headers.get('x-amzn-requestid'),
      ...(row.details && { details: row.details }),
    });
    expectNothingLeaks(JSON.stringify(answer.last));
  }

  function expectNothingLeaks(text: string): void {
    expect(text).not.toMatch(
      /Canonical|assumed-role|Traceback|\.ts:|node_modules|local-secret|local-session-token/,
    );
  }
});

test('a caller that is gone changes nothing: the answer runs to its end, once, and the next is served', async () => {
  for (const system of [lazy, eager]) {
    await ENVIRONMENTS_IDLE(system);
    const sessionId = newSessionId();
    const logged = system.logs.length;
    const abort = new AbortController();
    const prompt = script({ send: 'tick ', times: 20, everyMs: 20 }, { send: '[DONE]' });
    const response = await fetch(system.url, {
      method: 'POST',
      body: json({ agentId: 'puppet', prompt, sessionId }),
      signal: abort.signal,
    });
    await response.body?.getReader().read();
    abort.abort();

    await until(
      () => system.logs.slice(logged).some(({ line }) => line.includes('"outcome":"complete","duration_ms"')),
      'the answer is complete',
    );
    expect(puppet.prompts.filter((taken) => taken.sessionId === sessionId)).toHaveLength(1);
    await ENVIRONMENTS_IDLE(system);
    expect((await invokeSse(system.url, { agentId: 'puppet', prompt: ok })).text).toBe(CANARY);
  }
});

// A message is passed on when it is whole; of one that never was, nobody hears. The answer is told to be complete.
test('a clean close in the middle of a fragmented message is no complete answer', async () => {
  await ENVIRONMENTS_IDLE(lazy);
  const begun = Buffer.from([0x01, 4, ...Buffer.from('half')]);
  const closed = Buffer.from([0x88, 2, 0x03, 0xe8]);
  const prompt = script({ send: 'some text' }, { raw: Buffer.concat([begun, closed]).toString('base64') });

  const answer = await invokeSse(lazy.url, { agentId: 'puppet', prompt });

  expect(answer.last).toMatchObject({ code: 'AgentInterrupted', promptSent: true, partial: true });
});
