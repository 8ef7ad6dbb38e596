import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { until } from '../fixtures/sse.ts';
import { HANDLERS, Trial } from '../fixtures/trial.ts';

const trial = new Trial();

afterEach(() => trial.close());

const processState = (pid: number) =>
  /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0) && processState(pid) !== 'Z';
  } catch {
    return false;
  }
};

describe('an environment', () => {
  test("runs with Lambda's flags and variables, and nothing of this process's", async () => {
    process.env.A_SECRET_OF_THE_DEVELOPER = 'x';
    await trial.start({ timeoutMs: 5000 });

    const { env, execArgv, remainingMs } = JSON.parse(await trial.textOf('echo'));

    expect(execArgv).toEqual(expect.arrayContaining(['--expose-gc', '--max-semi-space-size=25']));
    expect(env).toMatchObject({
      STAGE: 'test',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    });
    expect(env).not.toHaveProperty('A_SECRET_OF_THE_DEVELOPER');
    expect(remainingMs).toBeGreaterThan(4000);
    expect(remainingMs).toBeLessThanOrEqual(5000);
  });

  test('is stopped while idle and goes on for its next invocation', async () => {
    await trial.start();
    await trial.textOf('timer');
    await trial.idle();
    const [environment] = trial.runtime.environments;
    await until(() => processState(environment?.pid ?? 0) === 'T', 'the process is stopped');
    await new Promise((resolve) => setTimeout(resolve, 300));

    const ticks = Number(await trial.textOf('ticks'));

    // The overdue interval fired once at most; running, it would have fired thirty times.
    expect(ticks).toBeLessThan(10);
    expect(trial.runtime.environments).toHaveLength(1);
  });

  test('is not stopped where freezing is off', async () => {
    await trial.start({ freeze: false });
    await trial.textOf('timer');
    await trial.idle();
    await new Promise((resolve) => setTimeout(resolve, 200));

    expect(Number(await trial.textOf('ticks'))).toBeGreaterThan(5);
  });

  test('serves one invocation at a time; more of them get more environments, beyond the limit 429', async () => {
    await trial.start({ maxEnvironments: 2 });

    const answers = await Promise.all([1, 2, 3].map(() => trial.ask('chunks', { count: 3, everyMs: 50 })));

    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 429]);
    expect(trial.runtime.environments).toHaveLength(2);
    await Promise.all(answers.map((answer) => answer.text()));
  });

  test('is chosen by most recent use', async () => {
    await trial.start();
    await Promise.all([
      trial.textOf('chunks', { count: 1, everyMs: 100 }),
      trial.textOf('chunks', { count: 1, everyMs: 250 }),
    ]);
    await trial.idle();

    await trial.textOf('default');
    await trial.idle();
    await trial.textOf('default');
    await trial.idle();

    expect(trial.runtime.environments.map(({ invocations }) => invocations).toSorted()).toEqual([1, 3]);
  });

  test('that overruns its deadline is killed, and its answer ends truncated', async () => {
    await trial.start({ timeoutMs: 400 });

    const response = await trial.ask('hang');

    await expect(response.text()).rejects.toThrow();
    expect(trial.lines.join('\n')).toMatch(/Task timed out after 0.40 seconds/);
    await until(() => trial.runtime.environments.length === 0, 'it is gone');
    expect(await trial.textOf('default')).toBe('1');
  });

  test('that crashes is replaced, and the crash is shown', async () => {
    await trial.start();

    const before = await trial.ask('exit');
    const after = await trial.ask('exit late');

    expect(before.status).toBe(502);
    expect(after.status).toBe(200);
    await expect(after.text()).rejects.toThrow();
    await until(
      () => trial.lines.filter((line) => line.includes('exited with code 3')).length === 2,
      'both are shown',
    );
    expect(await trial.textOf('default')).toBe('1');
  });

  test('that cannot start is a 502 with the reason in the log', async () => {
    await trial.start({ handler: 'broken.handler' });

    expect((await trial.ask('default')).status).toBe(502);
    expect(trial.lines.join('\n')).toContain('AGENTS: expected something else');
  });

  test('that has started can no more fail to start', async () => {
    await trial.start();

    const status = await trial.textOf('init error');
    await trial.idle();

    expect(status).toBe('403');
    expect(await trial.textOf('default')).toBe('2');
  });

  test('that never gets ready is killed after its limit, and the answer is a 502', async () => {
    await trial.start({ handler: 'never-ready.handler', initTimeoutMs: 300 });

    expect((await trial.ask('default')).status).toBe(502);
    expect(trial.lines.join('\n')).toContain('timed out after 0.30 seconds');
  });

  test('is gone when close resolves, stopped, busy or just started', async () => {
    await trial.start();
    await trial.textOf('default');
    await trial.idle();
    const hanging = await trial.ask('hang');
    await trial.textOf('default');
    const pids = trial.runtime.environments.map(({ pid }) => pid);
    const pending = trial.runtime.invoke({});

    await trial.runtime.close();

    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(await pending).toMatchObject({ kind: 'error' });
    await expect(hanging.text()).rejects.toThrow();
    expect(await trial.runtime.invoke({})).toEqual({ kind: 'throttled' });
  });
});

test('no process outlives a parent that is killed, stopped ones included', async () => {
  await trial.start();
  const program = `
    import { startLambdaRuntime } from ${JSON.stringify(join(import.meta.dirname, '../../local/aws/lambda-runtime.ts'))};
    const runtime = startLambdaRuntime({ folder: ${JSON.stringify(HANDLERS)}, handler: 'trial.handler', environment: {} });
    const { body } = await runtime.invoke({});
    body.resume();
    setInterval(() => {
      const [environment] = runtime.environments;
      if (environment.frozen) console.log(environment.pid);
    }, 10);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (data) => resolve(Number.parseInt(data, 10))),
  );
  expect(processState(pid)).toBe('T');

  parent.kill('SIGKILL');

  await until(() => !isAlive(pid), 'the stopped environment is gone');
});
