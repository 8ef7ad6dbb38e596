import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import { faultsOfAnswer } from '../fixtures/openapi.ts';
import { until } from '../fixtures/sse.ts';

const runtimes = [
  {
    id: 'nobody',
    name: 'NobodyAgent',
    runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Nobody-0123456789',
    target: 'http://127.0.0.1:1',
  },
];
/** Long enough for a cold AWS SDK on a busy machine. */
const LIMIT_MS = 3000;

let cloudFormation: Server;
let answer: RequestListener;
let system: System;

beforeAll(async () => {
  cloudFormation = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => cloudFormation.listen(0, '127.0.0.1', resolve));
  const { port } = cloudFormation.address() as AddressInfo;
  system = await startSystem({
    runtimes,
    runtime: { timeoutMs: LIMIT_MS + 3000 },
    environment: {
      AWS_ENDPOINT_URL_CLOUDFORMATION: `http://127.0.0.1:${port}`,
      AWS_MAX_ATTEMPTS: '1',
      DEADLINE_RESERVE_MS: '3000',
    },
  });
});
beforeEach(() =>
  until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'all is idle'),
);
afterAll(async () => {
  await system.close();
  cloudFormation.closeAllConnections();
  cloudFormation.close();
});

/** An answer that docs/openapi.yaml describes. */
async function get(): Promise<{ response: Response; body: string }> {
  const response = await fetch(`${system.url}/api/stacks/status/agent-demo`);
  const body = await response.text();
  expect(faultsOfAnswer('/api/stacks/status/{stackName}', response, body)).toEqual([]);
  return { response, body };
}
const refuse =
  (status: number, code: string, message = 'words that nobody shall see'): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  };

describe('what CloudFormation refuses', () => {
  test.each<[status: number, code: string, expected: number, error: string, retryable: boolean]>([
    [403, 'AccessDenied', 403, 'AccessDenied', false],
    [403, 'ExpiredToken', 401, 'Unauthenticated', false],
    [403, 'InvalidClientTokenId', 401, 'Unauthenticated', false],
    [403, 'SignatureDoesNotMatch', 401, 'Unauthenticated', false],
    [400, 'Throttling', 429, 'Throttled', true],
    [503, 'RequestLimitExceeded', 429, 'Throttled', true],
    [503, 'ServiceUnavailable', 503, 'AgentUnavailable', true],
    [500, 'InternalFailure', 503, 'AgentUnavailable', true],
    [400, 'SomethingElse', 500, 'Internal', false],
  ])('with %i %s is %i %s', async (status, code, expected, error, retryable) => {
    answer = refuse(status, code);

    const { response, body } = await get();

    expect(response.status).toBe(expected);
    expect(JSON.parse(body)).toMatchObject({ error, retryable, promptSent: false });
    expect(response.headers.has('retry-after')).toBe(retryable);
    expect(body).not.toContain('nobody shall see');
  });
});

test('a CloudFormation that drops the connection is 503', async () => {
  answer = (request) => request.socket.destroy();

  const { response, body } = await get();

  expect([response.status, JSON.parse(body)]).toMatchObject([503, { error: 'AgentUnavailable' }]);
});

test('a CloudFormation that says nothing is given up before Lambda gives the environment up', async () => {
  answer = () => {};

  const { response, body } = await get();

  expect([response.status, JSON.parse(body)]).toMatchObject([
    504,
    { error: 'AgentTimeout', retryable: true },
  ]);
  await until(() => system.runtime.environments[0]?.state === 'idle', 'the environment is idle');
  expect(system.runtime.environments.map(({ id }) => id)).toEqual([1]);
});
