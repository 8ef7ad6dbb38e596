import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type FunctionUrl, startFunctionUrl } from '../../local/function-url.ts';
import { type LambdaRuntime, startLambdaRuntime } from '../../local/lambda-runtime.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, until } from '../fixtures/sse.ts';

/**
 * Lambda's response stream loses answers and processes to code that looks right. Each trap is shown twice, through
 * AWS's own runtime client: what the usual recipe comes to, and what this service does in the same place.
 */

let runtime: LambdaRuntime;
let url: FunctionUrl;
let platformLog: string[];

async function startNaive(handler = 'naive.handler'): Promise<void> {
  platformLog = [];
  runtime = startLambdaRuntime({
    folder: join(import.meta.dirname, '../fixtures/handlers'),
    handler,
    environment: {},
    timeoutMs: 700,
    onLog: ({ stream, line }) => stream === 'platform' && platformLog.push(line),
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

  test.each(['pipeline of a source that fails', 'destroy with an error', 'write after end'])(
    'loses its process to %s',
    async (trap) => {
      await startNaive();

      await bodyOf(await fallInto(trap));

      await until(
        () => platformLog.some((line) => line.includes('exited with code 1')),
        'the process is gone',
      );
    },
  );

  test('hangs until the timeout when it returns without ending', async () => {
    await startNaive();

    expect(await bodyOf(await fallInto('return without end'))).toBe('TRUNCATED');
    expect(platformLog.join()).toContain('Task timed out');
  });

  test('answers a bare 502 when it throws before the first write', async () => {
    await startNaive();

    const response = await fallInto('throw before the first write');

    expect([response.status, await response.json()]).toEqual([502, { message: 'Internal Server Error' }]);
  });

  test('does not stream at all behind a wrapper', async () => {
    await startNaive('naive.wrapped');

    expect((await fallInto('write after end')).status).toBe(502);
  });
});

describe('this service', () => {
  const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
  let puppet: PuppetAgent;
  let system: System;

  beforeAll(async () => {
    puppet = await startPuppetAgent();
    system = await startSystem({
      runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
      environment: { FIRST_CHUNK_TIMEOUT_MS: '300' },
      runtime: { timeoutMs: 5000 },
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
    await new Promise((resolve) => setTimeout(resolve, 200));
  });

  test('ends every answer itself, also of an agent that is silent', async () => {
    const answer = await invoke(script());

    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.raw)).toMatchObject({ error: 'AgentTimeout' });
  });
});
