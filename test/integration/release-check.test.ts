import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { RELEASE_CHECK_FOLDER } from '../../lib/bundle.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type ApiRequest, startSignedApi } from '../fixtures/aws-apis.ts';

const REGION = 'eu-west-1';
const credentials = {
  accessKeyId: 'AKIARELEASE000000001',
  secretAccessKey: 'release-secret-access-key-00000000000001',
  sessionToken: 'release/token+of==',
};
const EVENT = { DeploymentId: 'd-ABCDEFGHI', LifecycleEventHookExecutionId: 'hook-execution-1' };

interface Run {
  code: number;
  log: string;
  /** What CodeDeploy was told. */
  told: ApiRequest[];
  /** What Lambda was asked. */
  asked: ApiRequest[];
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Runs the bundle that is deployed, as Lambda does, between fakes of the two APIs that it calls. */
async function runHook(url: { FunctionUrl: string; AuthType: string } | undefined): Promise<Run> {
  const told: ApiRequest[] = [];
  const asked: ApiRequest[] = [];
  const codedeploy = await startSignedApi(
    { service: 'codedeploy', region: REGION, credentials },
    (request, response) => {
      told.push(request);
      response.end(JSON.stringify({ lifecycleEventHookExecutionId: EVENT.LifecycleEventHookExecutionId }));
    },
  );
  const lambda = await startSignedApi(
    { service: 'lambda', region: REGION, credentials },
    (request, response) => {
      asked.push(request);
      if (url) response.end(JSON.stringify(url));
      else response.writeHead(404).end('{"Message":"no URL"}');
    },
  );
  closing.push(codedeploy.close, lambda.close);
  const bundle = pathToFileURL(join(RELEASE_CHECK_FOLDER, 'index.mjs')).href;
  const program = `import { handler } from ${JSON.stringify(bundle)}; await handler(${JSON.stringify(EVENT)});`;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--input-type=module', '--eval', program],
      {
        env: {
          AWS_REGION: REGION,
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_SESSION_TOKEN: credentials.sessionToken,
          AWS_ENDPOINT_URL_CODEDEPLOY: codedeploy.url,
          AWS_ENDPOINT_URL_LAMBDA: lambda.url,
          RELEASED_FUNCTION: 'stream-function',
          RELEASED_ALIAS: 'live',
          URL_SUFFIX: 'amazonaws.com',
        },
      },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, log: stdout + stderr, told, asked }),
    );
  });
}

const statusOf = ({ told }: Run) => told.map(({ body }) => JSON.parse(body) as object);
const verdict = (status: string) => [
  {
    deploymentId: EVENT.DeploymentId,
    lifecycleEventHookExecutionId: EVENT.LifecycleEventHookExecutionId,
    status,
  },
];

describe('the check of a release', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ agents: { tokenDelayMs: 8 } });
  });
  afterAll(() => system.close());

  test('succeeds where every agent streams, and asks Lambda for the URL of the alias', async () => {
    const run = await runHook({ FunctionUrl: `${system.url}/`, AuthType: 'NONE' });

    expect(statusOf(run)).toEqual(verdict('Succeeded'));
    expect(run.told[0]).toMatchObject({
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus',
      },
    });
    expect(run.asked).toMatchObject([
      { method: 'GET', path: '/2021-10-31/functions/stream-function/url', query: 'Qualifier=live' },
    ]);
    expect(run.log.trim().split('\n')).toHaveLength(9);
    expect(run.code).toBe(0);
  });

  test('signs where the URL wants it', async () => {
    const front = await startSignedApi(
      { service: 'lambda', region: REGION, credentials },
      async ({ method, path, body }, response) => {
        const answer = await fetch(system.url + path, { method, ...(body && { body }) });
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        for await (const part of answer.body ?? []) response.write(part);
        response.end();
      },
    );
    closing.push(front.close);

    const run = await runHook({ FunctionUrl: `${front.url}/`, AuthType: 'AWS_IAM' });

    expect(statusOf(run)).toEqual(verdict('Succeeded'));
  });

  test('fails where the URL cannot be had, and says why', async () => {
    const run = await runHook(undefined);

    expect(statusOf(run)).toEqual(verdict('Failed'));
    expect(run.log).toContain('Release check could not run');
    expect(run.log).toContain('answered 404');
  });

  test('fails where nothing answers', async () => {
    const run = await runHook({ FunctionUrl: 'http://127.0.0.1:1/', AuthType: 'NONE' });

    expect(statusOf(run)).toEqual(verdict('Failed'));
  });
});

test('the release fails where one agent does, and what was said of it is in no log', async () => {
  const system = await startSystem({ agents: { only: ['onboarding', 'mwc'], tokenDelayMs: 8 } });
  closing.push(() => system.close());
  const [, { runtimeArn } = { runtimeArn: '' }] = system.agents;
  system.dataPlane.fault(runtimeArn, FAULTS.refuse(424, 'RuntimeClientError', 'canary-of-the-agent'));

  const run = await runHook({ FunctionUrl: `${system.url}/`, AuthType: 'NONE' });

  expect(statusOf(run)).toEqual(verdict('Failed'));
  expect(run.log).toContain('"check":"mwc"');
  expect(run.log).not.toContain('canary-of-the-agent');
});
