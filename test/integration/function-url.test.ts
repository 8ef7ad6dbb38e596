import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FunctionUrl, startFunctionUrl } from '../../local/aws/function-url.ts';
import { type LambdaRuntime, startLambdaRuntime } from '../../local/aws/lambda-runtime.ts';
import { until } from '../fixtures/sse.ts';

const folder = join(import.meta.dirname, '../fixtures/handlers');
let runtime: LambdaRuntime;
let url: FunctionUrl;

beforeEach(async () => {
  runtime = startLambdaRuntime({ folder, handler: 'prelude.handler', environment: {} });
  url = await startFunctionUrl({
    runtime,
    cors: { allowedOrigins: ['*'], allowedHeaders: [], allowedMethods: ['POST'], exposedHeaders: [] },
  });
});

afterEach(async () => {
  await url.close();
  await runtime.close();
});

const ask = (what: string, init: RequestInit = {}) =>
  fetch(url.url, { method: 'POST', body: JSON.stringify({ do: what }), ...init });
const isIdle = () => runtime.environments.length === 1 && runtime.environments[0]?.state === 'idle';

describe('a prelude', () => {
  test.each(['no JSON', 'no status', 'no header', 'fail alone'])(
    'that HTTP cannot say (%s) is a 502, and its environment serves again',
    async (what) => {
      const response = await ask(what);

      expect(response.status).toBe(502);
      expect(await response.json()).toEqual({ message: 'Internal Server Error' });
      await until(isIdle, 'the environment is idle');
    },
  );

  test('is lost by an end without a write: 200, octet-stream, nothing', async () => {
    const response = await ask('end alone');

    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'application/octet-stream',
      '',
    ]);
  });
});

test('event, answer and context have one request id, event and invocation one trace', async () => {
  const response = await ask('show');
  const { event, awsRequestId, trace } = (await response.json()) as {
    event: { requestContext: { requestId: string }; headers: Record<string, string> };
    awsRequestId: string;
    trace: string;
  };

  expect(event.requestContext.requestId).toBe(awsRequestId);
  expect(response.headers.get('x-amzn-requestid')).toBe(awsRequestId);
  expect(trace).toContain(`${event.headers['x-amzn-trace-id']};`);
});

test('a preflight has a request id, too', async () => {
  const response = await ask('', {
    method: 'OPTIONS',
    body: null,
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  });

  expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
  expect(runtime.environments).toHaveLength(0);
});

test('a form, as curl -d sends it, reaches the function', async () => {
  const response = await ask('show', { headers: { 'content-type': 'application/x-www-form-urlencoded' } });

  expect(await response.json()).toMatchObject({
    event: { isBase64Encoded: true, body: Buffer.from('{"do":"show"}').toString('base64') },
  });
});

test('a caller that leaves in the middle of its request invokes nothing', async () => {
  const socket = connect(Number(new URL(url.url).port), '127.0.0.1');
  const request = 'POST / HTTP/1.1\r\nhost: local\r\ncontent-length: 100\r\n\r\nhalf';
  await new Promise((resolve) => socket.write(request, resolve));
  socket.destroy();

  expect((await ask('show')).status).toBe(200);
  expect(runtime.environments.map(({ invocations }) => invocations)).toEqual([1]);
});
