import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { DynamoDbApi, DynamoDbError } from '../../lambda/sessions/dynamodb-api.ts';

interface Asked {
  headers: IncomingMessage['headers'];
  body: unknown;
}

type Answer = { status: number; body: string } | 'reset' | 'silence';

const OK: Answer = { status: 200, body: '{"Item":{"requestId":{"S":"request-1"}}}' };
const refusal = (status: number, type: string, fields = {}): Answer => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'why', ...fields }),
});

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** An API against a table that gives these answers, one for each request. */
async function startTable(...answers: Answer[]): Promise<{ api: DynamoDbApi; asked: Asked[] }> {
  const asked: Asked[] = [];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    asked.push({ headers: request.headers, body: JSON.parse(body) });
    const answer = answers.shift() ?? OK;
    if (answer === 'reset') request.socket.resetAndDestroy();
    else if (answer !== 'silence') response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const api = new DynamoDbApi({
    endpoint: { region: 'eu-west-1', origin },
    sign: async ({ url, headers, service, region }) => ({
      url,
      headers: { ...headers, authorization: `${service} ${region}` },
    }),
  });
  return { api, asked };
}

const read = (api: DynamoDbApi) => api.send('GetItem', { TableName: 'table' });

test('an operation is a signed POST of JSON that names it', async () => {
  const { api, asked } = await startTable();

  expect(await read(api)).toEqual({ Item: { requestId: { S: 'request-1' } } });
  expect(asked).toEqual([
    {
      headers: expect.objectContaining({
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.GetItem',
        authorization: 'dynamodb eu-west-1',
        'content-length': '21',
      }),
      body: { TableName: 'table' },
    },
  ]);
});

test.each<[what: string, ...answers: Answer[]]>([
  ['a connection that breaks', 'reset', 'reset'],
  ['an error of DynamoDB itself', refusal(500, 'InternalServerError'), refusal(503, 'ServiceUnavailable')],
  ['a table that is throttled', refusal(400, 'ThrottlingException')],
  ['a capacity that is used up', refusal(400, 'ProvisionedThroughputExceededException')],
  ['a page of a proxy', { status: 502, body: '<html>' }],
])('%s is tried again', async (_what, ...answers) => {
  const { api, asked } = await startTable(...answers);

  expect(await read(api)).toHaveProperty('Item');
  expect(asked).toHaveLength(answers.length + 1);
});

test('a table that is silent is tried again after a second', async () => {
  const { api, asked } = await startTable('silence');

  expect(await read(api)).toHaveProperty('Item');
  expect(asked).toHaveLength(2);
});

test('the third failure is the last', async () => {
  const { api, asked } = await startTable('reset', refusal(500, 'InternalServerError'), 'reset', OK);

  await expect(read(api)).rejects.toHaveProperty('code', 'ECONNRESET');
  expect(asked).toHaveLength(3);
});

test('a refusal is not tried again, and tells its name and the item it names', async () => {
  const item = { requestId: { S: 'other' } };
  const { api, asked } = await startTable(refusal(400, 'ConditionalCheckFailedException', { Item: item }));

  const error = await read(api).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(DynamoDbError);
  expect(error).toMatchObject({ name: 'ConditionalCheckFailedException', message: 'why', status: 400, item });
  expect(asked).toHaveLength(1);
});

test('what cannot be read is not quoted: it may be an answer', async () => {
  const secret: Answer = { status: 200, body: 'secret' };
  const { api } = await startTable(secret, secret, secret);

  await expect(read(api)).rejects.toThrow('DynamoDB answered with something other than a JSON object');
});

test('without credentials nothing is sent', async () => {
  const { asked } = await startTable();
  const denied = new Error('no credentials');
  const api = new DynamoDbApi({
    endpoint: { region: 'eu-west-1', origin: new URL('http://127.0.0.1:9') },
    sign: () => Promise.reject(denied),
  });

  await expect(read(api)).rejects.toBe(denied);
  expect(asked).toEqual([]);
});
