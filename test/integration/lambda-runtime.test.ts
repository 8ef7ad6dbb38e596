import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type FunctionUrl, type FunctionUrlOptions, startFunctionUrl } from '../../local/aws/function-url.ts';
import {
  type LambdaRuntime,
  type LambdaRuntimeOptions,
  startLambdaRuntime,
} from '../../local/aws/lambda-runtime.ts';
import { until } from '../fixtures/sse.ts';

const folder = join(import.meta.dirname, '../fixtures/handlers');
let runtime: LambdaRuntime;
let url: FunctionUrl;
let lines: string[];

async function start(
  options: Partial<LambdaRuntimeOptions> = {},
  urlOptions: Partial<FunctionUrlOptions> = {},
) {
  lines = [];
  runtime = startLambdaRuntime({
    folder,
    handler: 'trial.handler',
    environment: { STAGE: 'test' },
    onLog: ({ stream, line }) => lines.push(`${stream} ${line}`),
    ...options,
  });
  url = await startFunctionUrl({ runtime, ...urlOptions });
}

afterEach(async () => {
  await url.close();
  await runtime.close();
});

const ask = (what: string, more: object = {}) =>
  fetch(url.url, { method: 'POST', body: JSON.stringify({ do: what, ...more }) });
const textOf = async (what: string, more?: object) => (await ask(what, more)).text();
const idle = () => until(() => runtime.environments.every(({ state }) => state === 'idle'), 'all is idle');
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
    await start({ timeoutMs: 5000 });

    const { env, execArgv, remainingMs } = JSON.parse(await textOf('echo'));

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
    await start();
    await textOf('timer');
    await idle();
    const [environment] = runtime.environments;
    await until(() => processState(environment?.pid ?? 0) === 'T', 'the process is stopped');
    await new Promise((resolve) => setTimeout(resolve, 300));

    const ticks = Number(await textOf('ticks'));

    // The overdue interval fired once at most; running, it would have fired thirty times.
    expect(ticks).toBeLessThan(10);
    expect(runtime.environments).toHaveLength(1);
  });

  test('is not stopped where freezing is off', async () => {
    await start({ freeze: false });
    await textOf('timer');
    await new Promise((resolve) => setTimeout(resolve, 200));

    expect(Number(await textOf('ticks'))).toBeGreaterThan(5);
  });

  test('serves one invocation at a time; more of them get more environments, beyond the limit 429', async () => {
    await start({ maxEnvironments: 2 });

    const answers = await Promise.all([1, 2, 3].map(() => ask('chunks', { count: 3, everyMs: 50 })));

    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 429]);
    expect(runtime.environments).toHaveLength(2);
    await Promise.all(answers.map((answer) => answer.text()));
  });

  test('is chosen by most recent use', async () => {
    await start();
    await Promise.all([
      textOf('chunks', { count: 1, everyMs: 100 }),
      textOf('chunks', { count: 1, everyMs: 250 }),
    ]);
    await idle();

    await textOf('default');
    await idle();
    await textOf('default');
    await idle();

    expect(runtime.environments.map(({ invocations }) => invocations).toSorted()).toEqual([1, 3]);
  });

  test('that overruns its deadline is killed, and its answer ends truncated', async () => {
    await start({ timeoutMs: 400 });

    const response = await ask('hang');

    await expect(response.text()).rejects.toThrow();
    expect(lines.join('\n')).toMatch(/Task timed out after 0.40 seconds/);
    await until(() => runtime.environments.length === 0, 'it is gone');
    expect(await textOf('default')).toBe('1');
  });

  test('that crashes is replaced, and the crash is shown', async () => {
    await start();

    const before = await ask('exit');
    const after = await ask('exit late');

    expect(before.status).toBe(502);
    expect(after.status).toBe(200);
    await expect(after.text()).rejects.toThrow();
    await until(
      () => lines.filter((line) => line.includes('exited with code 3')).length === 2,
      'both are shown',
    );
    expect(await textOf('default')).toBe('1');
  });

  test('that cannot start is a 502 with the reason in the log', async () => {
    await start({ handler: 'broken.handler' });

    expect((await ask('default')).status).toBe(502);
    expect(lines.join('\n')).toContain('AGENTS: expected something else');
  });

  test('that has started can no more fail to start', async () => {
    await start();

    const status = await textOf('init error');

    expect(status).toBe('403');
    expect(await textOf('default')).toBe('2');
  });

  test('that never gets ready is killed after its limit, and the answer is a 502', async () => {
    await start({ handler: 'never-ready.handler', initTimeoutMs: 300 });

    expect((await ask('default')).status).toBe(502);
    expect(lines.join('\n')).toContain('timed out after 0.30 seconds');
  });

  test('is gone when close resolves, stopped, busy or just started', async () => {
    await start();
    await textOf('default');
    await idle();
    const hanging = await ask('hang');
    await textOf('default');
    const pids = runtime.environments.map(({ pid }) => pid);
    const pending = runtime.invoke({});

    await runtime.close();

    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(await pending).toMatchObject({ kind: 'error' });
    await expect(hanging.text()).rejects.toThrow();
    expect(await runtime.invoke({})).toEqual({ kind: 'throttled' });
  });
});

describe('the Function URL', () => {
  test.each([
    ['before the first write', 'throw'],
    ['with nothing written', 'exit'],
  ])('answers 502 for a function that fails %s', async (_when, what) => {
    await start();

    const response = await ask(what);

    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ message: 'Internal Server Error' });
  });

  test('passes status, headers and cookies of the prelude, and each write as it comes', async () => {
    await start();

    const response = await ask('echo', {
      statusCode: 203,
      headers: { 'x-own': '1' },
      cookies: ['a=1; Path=/', 'b=2'],
    });
    const chunks = await ask('chunks', { count: 5, everyMs: 40 });
    const times: number[] = [];
    for await (const _part of chunks.body ?? []) times.push(performance.now());

    expect(response.status).toBe(203);
    expect(response.headers.get('x-own')).toBe('1');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(times).toHaveLength(5);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(120);
    await response.text();
  });

  test('loses status and headers of an end without a write, as the real one does', async () => {
    await start();

    const response = await ask('end without write');

    expect(response.status).not.toBe(418);
  });

  test('answers 200 and octet-stream without a prelude', async () => {
    await start();

    const response = await ask('no prelude');

    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/octet-stream',
    ]);
  });

  test('refuses a request over 6 MB', async () => {
    await start();

    const response = await fetch(url.url, { method: 'POST', body: 'x'.repeat(6 * 1024 * 1024 + 1) });

    expect(response.status).toBe(413);
  });

  test('sends 6 MB at once and the rest at 2 MB/s', async () => {
    await start();
    const startedAt = performance.now();

    const { length } = await textOf('bytes', { bytes: 8_000_000 });

    expect(length).toBe(8_000_000);
    // 8,000,000 less 6 MiB at 2 MiB/s.
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  test.each([
    ['lets 200 MB through', 209_700_000, true],
    ['cuts a response off at 200 MB', 209_800_000, false],
  ])(
    '%s',
    async (_what, bytes, isWhole) => {
      await start({}, { bandwidth: false });

      const response = await ask('bytes', { bytes });
      let received = 0;
      const read = async () => {
        for await (const part of response.body ?? []) received += (part as Uint8Array).length;
        return 'whole';
      };
      const end = await read().catch(() => 'cut');

      expect(end).toBe(isWhole ? 'whole' : 'cut');
      expect(received).toBeLessThanOrEqual(200 * 1024 * 1024);
      expect(received).toBeGreaterThan(isWhole ? 209_699_999 : 150_000_000);
      // The function has written all of it, and knows nothing of this.
      await until(() => lines.some((line) => line.includes('all written')), 'everything is written');
      await idle();
    },
    60_000,
  );

  test('holds a small write until the next one where it is sticky', async () => {
    await start({}, { sticky: true });

    const response = await ask('chunks', { count: 2, everyMs: 200 });
    const received: { text: string; atMs: number }[] = [];
    const startedAt = performance.now();
    for await (const part of response.body ?? []) {
      received.push({ text: Buffer.from(part).toString(), atMs: performance.now() - startedAt });
    }

    expect(received[0]).toMatchObject({ text: 'chunk 0;' });
    expect(received[0]?.atMs).toBeGreaterThan(150);
    expect(received.map(({ text }) => text).join('')).toBe('chunk 0;chunk 1;');
  });

  test('tells the function nothing of a caller that is gone', async () => {
    await start({}, { bandwidth: false });
    const abort = new AbortController();
    const response = await fetch(url.url, {
      method: 'POST',
      body: JSON.stringify({ do: 'bytes', bytes: 20_000_000 }),
      signal: abort.signal,
    });
    await response.body?.getReader().read();

    abort.abort();

    await until(
      () => lines.some((line) => line.includes('all written')),
      'the function has written everything',
    );
    await idle();
  });

  test('answers a preflight itself, from its allowed origins alone', async () => {
    await start(
      {},
      {
        cors: {
          allowedOrigins: ['https://app.example'],
          allowedHeaders: ['content-type'],
          allowedMethods: ['GET', 'POST'],
          exposedHeaders: ['X-Session-Id'],
        },
      },
    );
    const preflight = (origin: string) =>
      fetch(url.url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });

    const [allowed, refused] = [
      await preflight('https://app.example'),
      await preflight('https://evil.example'),
    ];
    const answer = await fetch(url.url, {
      method: 'POST',
      body: '{}',
      headers: { origin: 'https://app.example' },
    });

    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.headers.get('access-control-allow-methods')).toBe('GET,POST');
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('access-control-expose-headers')).toBe('X-Session-Id');
    // The two preflights never reached the function.
    expect(await answer.text()).toBe('1');
  });

  test('makes an event of payload format 2.0', async () => {
    await start(
      {},
      { caller: { accessKey: 'AKIA', accountId: '1', callerId: 'c', userArn: 'arn:u', userId: 'u' } },
    );

    const response = await fetch(`${url.url}/a%2Fb//c?x=1&y=2&x=3`, {
      method: 'POST',
      body: JSON.stringify({ do: 'echo' }),
      headers: { 'X-Upper': 'Kept', cookie: 'a=1; b=2' },
    });
    const { event } = (await response.json()) as { event: Record<string, unknown> };

    expect(event).toMatchObject({
      version: '2.0',
      rawPath: '/a%2Fb//c',
      rawQueryString: 'x=1&y=2&x=3',
      queryStringParameters: { x: '1,3', y: '2' },
      cookies: ['a=1', 'b=2'],
      headers: { 'x-upper': 'Kept' },
      isBase64Encoded: false,
      requestContext: {
        http: { method: 'POST', path: '/a%2Fb//c' },
        authorizer: { iam: { userArn: 'arn:u' } },
      },
    });
  });
});

test('no process outlives a parent that is killed, stopped ones included', async () => {
  await start();
  const program = `
    import { startLambdaRuntime } from ${JSON.stringify(join(import.meta.dirname, '../../local/aws/lambda-runtime.ts'))};
    const runtime = startLambdaRuntime({ folder: ${JSON.stringify(folder)}, handler: 'trial.handler', environment: {} });
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
