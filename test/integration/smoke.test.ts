import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { flow } from '../../lambda/smoke/checks.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { startSignedApi } from '../fixtures/aws-apis.ts';
import { COMPILE_CACHE } from '../fixtures/compile-cache.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';

const root = join(import.meta.dirname, '../..');

interface Run {
  code: number;
  report: string;
}

/** Runs what `npm run smoke` runs. */
function smoke(args: string[], env: Record<string, string> = {}): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['local/smoke/smoke.ts', ...args],
      // Nothing of the developer's own credentials.
      {
        cwd: root,
        env: { PATH: process.env.PATH ?? '', AWS_EC2_METADATA_DISABLED: 'true', ...COMPILE_CACHE, ...env },
      },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, report: stdout + stderr }),
    );
  });
}

/** The line of the report about a check. */
const lineOf = ({ report }: Run, name: string) =>
  report.split('\n').find((line) => line.slice(6).startsWith(`${name} `)) ??
  `no line about ${name} in:\n${report}`;

describe('of the local system', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ agents: { tokenDelayMs: 8 } });
  });
  afterAll(() => system.close());

  test('every check passes, and the report says how each agent streamed', async () => {
    const run = await smoke(['--url', system.url]);

    expect(run).toEqual({ code: 0, report: expect.stringContaining('All 9 checks passed') });
    expect(lineOf(run, 'health')).toMatch(/^ok {4}health +healthy, environment local, \d\.\d\d s$/);
    expect(lineOf(run, 'list')).toMatch(/3 agents: onboarding, provisioning, mwc$/);
    expect(lineOf(run, 'unknown agent')).toMatch(/404 AgentNotFound$/);
    expect(lineOf(run, 'missing prompt')).toMatch(/400 BadRequest$/);
    expect(lineOf(run, 'wrong method')).toMatch(/405 MethodNotAllowed$/);
    for (const id of ['onboarding', 'provisioning', 'mwc']) {
      expect(lineOf(run, id)).toMatch(
        /^ok .* \d{2,} chunks in \d{2,} reads over \d+\.\d\d s, the first after \d\.\d\d s, the end after \d/,
      );
    }
  });

  test('only the agents that are named are asked', async () => {
    const run = await smoke(['--url', `${system.url}/`, '--agent', 'mwc', '--prompt', 'a queue']);

    expect(run).toEqual({ code: 0, report: expect.stringContaining('All 7 checks passed') });
    expect(run.report).not.toMatch(/^ok {4}(onboarding|provisioning)/m);
  });
});

describe('of agents that are not in order', () => {
  const runtimeArn = (name: string) =>
    `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${name}-0123456789`;
  let puppet: PuppetAgent;
  let system: System;

  beforeAll(async () => {
    puppet = await startPuppetAgent();
    const agent = (id: string) => ({ id, name: id, runtimeArn: runtimeArn(id), target: puppet.target });
    system = await startSystem({
      runtimes: [agent('good'), agent('bad')],
      environment: { MAX_RETRIES: '0', IDLE_TIMEOUT_MS: '2000', FIRST_CHUNK_TIMEOUT_MS: '2000' },
    });
  });
  afterAll(async () => {
    await system.close();
    await puppet.close();
  });
  afterEach(() => system.dataPlane.fault(runtimeArn('bad'), undefined));

  const good = script({ send: 'one', times: 8, everyMs: 200 }, { send: '[DONE]' });

  test('one without a WebSocket handler is reported as that, and the other one as good', async () => {
    system.dataPlane.fault(
      runtimeArn('bad'),
      FAULTS.refuse(424, 'RuntimeClientError', 'Received error (404) from runtime'),
    );

    const run = await smoke(['--url', system.url, '--prompt', good]);

    expect(run).toEqual({ code: 1, report: expect.stringContaining('1 of 8 checks failed') });
    expect(lineOf(run, 'good')).toMatch(/^ok .*8 chunks in \d reads/);
    expect(lineOf(run, 'bad')).toMatch(
      /^FAIL .*got 502 AgentFailed: .*Hint: .*no WebSocket handler.*docs\/agents\.md/,
    );
  });

  test.each<[string, string, RegExp]>([
    [
      'sends everything at once',
      script({ send: 'x', times: 20 }, { send: '[DONE]' }),
      /FAIL .*one burst: 20 chunks in \d+ reads? over 0\.0\d s.*RESPONSE_STREAM/,
    ],
    [
      'breaks off',
      script({ send: 'x' }, { sleepMs: 20 }, { drop: true }),
      /FAIL .*AgentInterrupted after 1 chunk: /,
    ],
    ['says nothing', script(), /FAIL .*got 504 AgentTimeout: /],
    [
      'reports an error',
      script({ send: '{"type":"error","message":"the tool broke"}' }),
      /FAIL .*got 502 AgentFailed: .*\(the tool broke\)/,
    ],
    [
      'answers in one piece',
      script({ send: 'all' }, { send: '[DONE]' }),
      /^ok .*1 chunk in 1 read .*does not tell whether it streams/,
    ],
  ])('one that %s is reported as that', async (_what, prompt, line) => {
    const run = await smoke(['--url', system.url, '--agent', 'bad', '--prompt', prompt]);

    expect(lineOf(run, 'bad')).toMatch(line);
    expect(run.code).toBe(line.source.startsWith('^ok') ? 0 : 1);
  });

  test('one that does not end is given up', async () => {
    const prompt = script({ send: 'x', times: 50, everyMs: 100 });

    const run = await smoke(['--url', system.url, '--agent', 'bad', '--prompt', prompt, '--timeout', '1']);

    expect(run.code).toBe(1);
    expect(lineOf(run, 'bad')).toMatch(/FAIL .*no end of the answer within 1\.00 s/);
  });
});

describe('of a URL behind something that holds text back', () => {
  const CHUNKS = 200;
  const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
  const chunks = (count: number) => event({ chunk: 'x' }).repeat(count);
  /** Sends the first chunks as they come, and the others together with the end. */
  async function serve(asTheyCome: number): Promise<{ url: string; close: () => void }> {
    const server = createServer(async (request, response) => {
      request.resume();
      if (request.method !== 'POST') return void response.writeHead(404).end('{}');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let sent = 0; sent < asTheyCome; sent += 1) {
        response.write(chunks(1));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
      response.end(chunks(CHUNKS - asTheyCome) + event({ done: true, chunks: CHUNKS }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = () => {
      server.closeAllConnections();
      server.close();
    };
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
  }

  test.each([
    ['all but the first chunk', 1, /^FAIL .*held back: 200 chunks in \d reads over .*; 199 of the chunks/],
    ['all', 0, /^FAIL .*one burst: 200 chunks in \d reads? over 0\.0\d s/],
    ['a few at the end', 150, /^ok .*200 chunks in \d+ reads/],
  ])('%s: the report says so', async (_what, asTheyCome, line) => {
    const { url, close } = await serve(asTheyCome);
    try {
      const run = await smoke(['--url', url, '--agent', 'any']);

      expect(lineOf(run, 'any')).toMatch(line);
    } finally {
      close();
    }
  });

  test('pieces that come together at the end of a long answer are one burst', () => {
    const answer = (spreadMs: number) => ({
      chunks: 4,
      textReads: [0, 1, 2, 3].map((i) => ({ atMs: 60_000 + (i * spreadMs) / 3, chunks: 1 })),
      durationMs: 60_000 + spreadMs,
    });

    expect(() => flow(answer(300))).toThrow(/^one burst: 4 chunks in 4 reads over 0\.30 s/);
    expect(flow(answer(900))).toMatch(/^4 chunks in 4 reads over 0\.90 s/);
  });
});

describe('of a URL that wants signatures', () => {
  const credentials = {
    accessKeyId: 'AKIASMOKE00000000001',
    secretAccessKey: 'smoke-secret-access-key-0000000000000001',
    sessionToken: 'smoke/token+of==',
  };
  let system: System;
  let signed: Awaited<ReturnType<typeof startSignedApi>>;
  let url: string;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'smoke-'));
    writeFileSync(
      join(folder, 'credentials'),
      `[deployer]\naws_access_key_id=${credentials.accessKeyId}\naws_secret_access_key=${credentials.secretAccessKey}\naws_session_token=${credentials.sessionToken}\n`,
    );
    system = await startSystem({ agents: { tokenDelayMs: 8 } });
    // What Lambda does before the function is asked.
    signed = await startSignedApi(
      { service: 'lambda', region: 'eu-west-1', credentials },
      async ({ method, path, body }, response) => {
        const answer = await fetch(system.url + path, { method, ...(body && { body }) });
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        for await (const part of answer.body ?? []) response.write(part);
        response.end();
      },
    );
    ({ url } = signed);
  });
  afterAll(async () => {
    await signed.close();
    await system.close();
    rmSync(folder, { recursive: true });
  });

  test('requests are signed with the credentials of the environment', async () => {
    const run = await smoke(['--url', url, '--iam', '--region', 'eu-west-1', '--agent', 'onboarding'], {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
    });

    expect(run).toEqual({ code: 0, report: expect.stringContaining('All 7 checks passed') });
  });

  test('requests are signed with the credentials of a profile', async () => {
    const run = await smoke(['--url', url, '--profile', 'deployer', '--agent', 'onboarding'], {
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_REGION: 'eu-west-1',
    });

    expect(run).toEqual({ code: 0, report: expect.stringContaining('All 7 checks passed') });
  });

  test('unsigned requests are reported with what to do', async () => {
    const run = await smoke(['--url', url]);

    expect(run.code).toBe(1);
    expect(lineOf(run, 'health')).toMatch(/FAIL .*got 403: .*Forbidden.*--profile <name> or --iam/);
    expect(run.report).not.toMatch(/^ok /m);
  });

  test('a profile that there is not is reported, and no secret is', async () => {
    const run = await smoke(['--url', url, '--profile', 'nobody', '--region', 'eu-west-1'], {
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      AWS_CONFIG_FILE: join(folder, 'none'),
    });

    expect(run.code).toBe(1);
    expect(lineOf(run, 'health')).toMatch(/FAIL .*nobody/);
    expect(run.report).not.toContain(credentials.secretAccessKey);
  });

  test('a region that is nowhere to be had is asked for', async () => {
    const run = await smoke(['--url', url, '--iam']);

    expect(run.code).toBe(1);
    expect(run.report).toMatch(/^no region in 127\.0\.0\.1:\d+: give it with --region\n/);
  });
});

describe('without a service', () => {
  test('every check fails, and the report says why', async () => {
    const run = await smoke(['--url', 'http://127.0.0.1:1']);

    expect(run).toEqual({ code: 1, report: expect.stringMatching(/6 of 6 checks failed/) });
    expect(lineOf(run, 'health')).toMatch(/FAIL .*fetch failed: /);
  });

  test.each([
    [[], /^--url: expected a URL/],
    [['--url', 'localhost:3000'], /^--url: expected a URL .*got "localhost:3000"/],
    [
      ['--url', 'http://127.0.0.1:1', '--timeout', 'soon'],
      /^--timeout: expected 1 to 9999 seconds, got "soon"/,
    ],
    [['--nonsense'], /Unknown option '--nonsense'/],
  ])('wrong options are answered with the right ones: %j', async (args, message) => {
    const run = await smoke(args);

    expect(run.code).toBe(1);
    expect(run.report).toMatch(message);
    expect(run.report).toContain('npm run smoke -- --url <url> [options]');
  });
});
