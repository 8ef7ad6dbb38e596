import { afterEach, expect, jest, test } from '@jest/globals';
import { DynamoDbApi, DynamoDbError } from '../../lambda/sessions/dynamodb-api.ts';
import {
  answerOf,
  type FakeTable,
  refusal,
  startFakeTable,
  type TableAnswer,
} from '../fixtures/fake-table.ts';

const OK = answerOf({ Item: { requestId: { S: 'request-1' } } });

let table: FakeTable;
afterEach(() => {
  table.close();
  jest.restoreAllMocks();
});

/** An API against a table that gives these answers, one for each request, and then an item. */
async function start(...answers: TableAnswer[]): Promise<DynamoDbApi> {
  table = await startFakeTable(...answers, OK);
  return new DynamoDbApi(table.options);
}

const read = (api: DynamoDbApi) => api.send('GetItem', { TableName: 'table' });

test('an operation is a signed POST of JSON that names it', async () => {
  const api = await start();

  expect(await read(api)).toEqual({ Item: { requestId: { S: 'request-1' } } });
  expect(table.asked).toEqual([
    {
      headers: expect.objectContaining({
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.GetItem',
        authorization: 'dynamodb eu-west-1 1',
        'content-length': '21',
      }),
      body: { TableName: 'table' },
    },
  ]);
});

test.each<[what: string, ...answers: TableAnswer[]]>([
  ['a connection that breaks', 'reset', 'reset'],
  ['an answer of which a part is missing', { status: 200, body: '{"Item":{}}', cut: true }],
  ['an answer that is no JSON', { status: 200, body: '{"Item":' }],
  ['an error of DynamoDB itself', refusal(500, 'InternalServerError'), refusal(503, 'ServiceUnavailable')],
  ['a table that is throttled', refusal(400, 'ThrottlingException')],
  ['a capacity that is used up', refusal(400, 'ProvisionedThroughputExceededException')],
  ['a quota of the account that is used up', refusal(400, 'RequestLimitExceeded')],
  ['an item that a replica is writing', refusal(400, 'ReplicatedWriteConflictException')],
  ['a page of a proxy', { status: 502, body: '<html>' }],
])('%s is tried again', async (_what, ...answers) => {
  const api = await start(...answers);

  expect(await read(api)).toEqual({ Item: { requestId: { S: 'request-1' } } });
  expect(table.asked).toHaveLength(answers.length + 1);
});

test('a table that is silent is tried again after a second', async () => {
  const api = await start('silence');

  expect(await read(api)).toHaveProperty('Item');
  expect(table.asked).toHaveLength(2);
});

test('the third failure is the last', async () => {
  const api = await start('reset', refusal(500, 'InternalServerError'), 'reset');

  await expect(read(api)).rejects.toHaveProperty('code', 'ECONNRESET');
  expect(table.asked).toHaveLength(3);
});

test('a kept connection that has died is replaced at once, without a pause and without the others', async () => {
  const api = await start(OK, OK, 'reset');
  await Promise.all([read(api), read(api)]);
  const pauses = jest.spyOn(globalThis, 'setTimeout');

  expect(await read(api)).toHaveProperty('Item');
  expect(pauses).not.toHaveBeenCalled();
  await read(api);
  expect([table.connections, table.asked.length]).toEqual([3, 5]);
});

test('a throttled request keeps its connection', async () => {
  const api = await start(refusal(400, 'ThrottlingException'), refusal(400, 'ThrottlingException'));

  await read(api);

  expect([table.connections, table.asked.length]).toEqual([1, 3]);
});

test('each attempt is signed anew: a freeze between two of them may have been longer than a signature lasts', async () => {
  const api = await start('reset', refusal(500, 'InternalServerError'));

  await read(api);

  expect(table.asked.map(({ headers }) => headers.authorization)).toEqual([
    'dynamodb eu-west-1 1',
    'dynamodb eu-west-1 2',
    'dynamodb eu-west-1 3',
  ]);
});

test.each([
  ['a condition that is not true', 'ConditionalCheckFailedException'],
  ['a permission that is missing', 'AccessDeniedException'],
  ['a table that is not there', 'ResourceNotFoundException'],
  ['credentials that have expired', 'ExpiredTokenException'],
  ['credentials that are not known any more', 'UnrecognizedClientException'],
  ['a clock that is wrong', 'InvalidSignatureException'],
])('%s is told by name, and not tried again', async (_what, name) => {
  const item = { requestId: { S: 'other' } };
  const api = await start({
    status: 400,
    body: JSON.stringify({ __type: `com.amazon.coral.service#${name}`, Message: 'why', Item: item }),
  });

  const error = await read(api).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(DynamoDbError);
  expect(error).toMatchObject({ name, message: 'why', status: 400, item });
  expect(table.asked).toHaveLength(1);
});

test('a refused signature is told without the request that was signed: its token would open the account', async () => {
  const api = await start(
    refusal(400, 'InvalidSignatureException', {
      message:
        "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:secret-token\n'",
    }),
  );

  await expect(read(api)).rejects.toThrow(
    /^The request signature we calculated does not match the signature you provided\.$/,
  );
});

test('a refusal that is not of DynamoDB is told by its status, and not tried again', async () => {
  const api = await start({ status: 403, body: '<html>blocked' });

  await expect(read(api)).rejects.toMatchObject({
    name: 'DynamoDbError',
    message: 'DynamoDB answered 403',
    status: 403,
  });
  expect(table.asked).toHaveLength(1);
});

test('what cannot be read is not quoted: it may be an answer', async () => {
  const secret: TableAnswer = { status: 200, body: 'secret' };
  const api = await start(secret, secret, secret);

  await expect(read(api)).rejects.toThrow(/^DynamoDB answered with something other than a JSON object$/);
});

test('without credentials nothing is sent', async () => {
  await start();
  const denied = new Error('no credentials');
  const api = new DynamoDbApi({ ...table.options, sign: () => Promise.reject(denied) });

  await expect(read(api)).rejects.toBe(denied);
  expect(table.asked).toEqual([]);
});
