import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type FunctionUrl, startFunctionUrl } from '../../local/aws/function-url.ts';
import {
  type LambdaRuntime,
  type LambdaRuntimeOptions,
  startLambdaRuntime,
} from '../../local/aws/lambda-runtime.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, until } from '../fixtures/sse.ts';

/**
 * Lambda's response stream loses answers and processes to code that looks right. Each trap is shown twice, through
 * AWS's own runtime client: what the usual recipe comes to, and what this service does in the same place. The
 * Runtime API is rude: it answers late, so that a stream is open for a while after its end, or before the end.
 */

let runtime: LambdaRuntime;
let url: FunctionUrl;
let log: string[];

async function startNaive(options: Partial<LambdaRuntimeOptions> = {}): Promise<void> {
  log = [];
  runtime = startLambdaRuntime({
    folder: join(import.meta.dirname, '../fixtures/handlers'),
    handler: 'naive.handler',
    environment: {},
    timeoutMs: 700,
    onLog: ({ line }) => log.push(line),
    ...options,
  });
  url = await startFunctionUrl({ runtime });
}

describe('the usual recipe', () => {
  afterEach(async () => {
    await url.close();
    await runtime.close();
  });

  const fallInto = (trap: string) => fetch(url.url, { method: 'POST', body: JSON.stringify({ trap }) });
  const bodyOf = (response: Response) => response.text().catch(() => 'TRUNCATED');

  test('loses its status when it ends without having written', async () => {
    await startNaive();

    expect((await fallInto('end without write')).status).not.toBe(418);
  });

  test.each([
    ['pipeline of a source that fails', {}],
    ['destroy with an error', {}],
    ['write after end', {}],
    // Where the answer is there at once the same write goes unnoticed.
    ['heartbeat that goes on', { answerAfterMs: 500 }],
  ])('loses its process to %s', async (trap, runtimeApi) => {
    await startNaive({ runtimeApi, timeoutMs: 5000 });

    await bodyOf(await fallInto(trap));

    await until(() => log.some((line) => line.includes('exited with code 1')), 'the process is gone');
  });

  test('hangs until the timeout when it returns without ending', async () => {
    await startNaive();

    expect(await bodyOf(await fallInto('return without end'))).toBe('TRUNCATED');
    expect(log.join()).toContain('Task timed out');
  });

  test('waits for a finish that never comes where the platform has answered early: its process runs dry', async () => {
    await startNaive({ runtimeApi: { answerEarlyAfterMs: 50 } });

    await runtime.invoke({ body: JSON.stringify({ trap: 'wait for the finish' }) });

    await until(() => log.some((line) => line.includes('exited with code 0')), 'the process is gone');
  });

  test.each(['throw after the first write', 'status after the first write'])(
    'tells nobody that the answer is not whole with a %s',
    async (trap) => {
      await startNaive();

      const response = await fallInto(trap);

      expect([response.status, await bodyOf(response)]).toEqual([200, 'some text']);
    },
  );

  test('answers a bare 502 when it throws before the first write', async () => {
    await startNaive();

    const response = await fallInto('throw before the first write');

    expect([response.status, await response.json()]).toEqual([502, { message: 'Internal Server Error' }]);
  });

  test('does not stream at all behind a wrapper', async () => {
    await startNaive({ handler: 'naive.wrapped' });

    expect((await fallInto('write after end')).status).toBe(502);
  });
});

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';

describe('this service', () => {
  let puppet: PuppetAgent;
  let system: System;

  beforeAll(async () => {
    puppet = await startPuppetAgent();
    system = await startSystem({
      runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
      environment: { FIRST_CHUNK_TIMEOUT_MS: '500', HEARTBEAT_INTERVAL_MS: '20' },
      runtime: { timeoutMs: 15_000, runtimeApi: { answerAfterMs: 300 } },
    });
  });
  afterAll(async () => {
    await system.close();
    await puppet.close();
  });
  const idle = () => until(() => system.runtime.environments[0]?.state === 'idle', 'the environment is idle');
  afterEach(async () => {
    // Whatever it was, the same process serves on.
    await idle();
    expect(system.runtime.environments.map(({ id }) => id)).toEqual([1]);
  });

  const invoke = (prompt: string) => invokeSse(system.url, { agentId: 'puppet', prompt });

  test('has a body, and so its status, in every answer, also of an agent that says nothing', async () => {
    const empty = await invoke(script({ send: '[DONE]' }));
    await idle();
    const refused = await fetch(system.url, { method: 'PUT' });

    expect(empty.headers.get('content-type')).toContain('text/event-stream');
    expect(refused.status).toBe(405);
    expect((await refused.text()).length).toBeGreaterThan(0);
  });

  test('ends an answer whose upstream was cut, with an error, in its own process', async () => {
    const answer = await invoke(script({ send: 'some text' }, { sleepMs: 20 }, { reset: true }));

    expect(answer.truncated).toBe(false);
    expect(answer.text).toBe('some text');
    expect(answer.last).toMatchObject({ code: 'AgentInterrupted' });
  });

  test('writes nothing after the end, though the agent goes on', async () => {
    const answer = await invoke(
      script({ send: 'some text' }, { send: '[DONE]' }, { send: 'late', times: 50, everyMs: 2 }),
    );

    expect(answer.text).toBe('some text');
  });

  test('ends every answer itself, also of an agent that is silent', async () => {
    const answer = await invoke(script());

    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.raw)).toMatchObject({ error: 'AgentTimeout' });
  });

  test('stops its heartbeat with the answer: the stream is open for a while after its end', async () => {
    const answer = await invoke(script({ send: 'a' }, { sleepMs: 200 }, { send: 'b' }, { send: '[DONE]' }));

    expect(answer.raw).toContain(': keep-alive');
    expect(answer.raw).toMatch(/data: \{"done":true.*\}\n\n$/);
  });
});

describe('this service, answered early', () => {
  test('has done with an answer that the platform no longer takes, and with its agent, and serves on', async () => {
    const puppet = await startPuppetAgent();
    const system = await startSystem({
      runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
      runtime: { timeoutMs: 15_000, runtimeApi: { answerEarlyAfterMs: 400 } },
    });
    const ask = (prompt: string) => invokeSse(system.url, { agentId: 'puppet', prompt });
    const idle = () =>
      until(() => system.runtime.environments[0]?.state === 'idle', 'the environment is idle');
    try {
      const cut = await ask(script({ send: 'a', times: 1000, everyMs: 50 }));
      await idle();
      const whole = await ask(script({ send: 'fine' }, { send: '[DONE]' }));
      await idle();

      expect(cut.truncated).toBe(true);
      expect(cut.text).toMatch(/^a+$/);
      expect(system.logs.some(({ line }) => line.includes('"outcome":"AgentInterrupted"'))).toBe(true);
      expect(whole.last).toMatchObject({ done: true });
      expect(system.runtime.environments.map(({ id }) => id)).toEqual([1]);
      await until(() => puppet.open.size === 1, 'only the second connection is open');
    } finally {
      await system.close();
      await puppet.close();
    }
  });

  test('waits for the close of its stream, which has no finish', async () => {
    await startNaive({
      handler: 'relay.handler',
      timeoutMs: 10_000,
      runtimeApi: { answerEarlyAfterMs: 200 },
    });
    try {
      const result = await runtime.invoke({});

      expect(result.kind === 'stream' && (await result.outcome).status).toBe('success');
      expect(log.join()).toContain('closed');
    } finally {
      await url.close();
      await runtime.close();
    }
  });
});
