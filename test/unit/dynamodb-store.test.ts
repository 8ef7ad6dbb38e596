import { afterEach, expect, test } from '@jest/globals';
import { DynamoDbStore } from '../../lambda/sessions/dynamodb.ts';
import {
  answerOf,
  type FakeTable,
  refusal,
  startFakeTable,
  type TableAnswer,
} from '../fixtures/fake-table.ts';

const NOTHING = answerOf({});
const base64 = (text: string) => Buffer.from(text).toString('base64');
const item = (part: number, text: string) => ({
  pk: { S: 'answer#a' },
  sk: { S: String(part).padStart(10, '0') },
  log: { B: base64(text) },
});

let table: FakeTable;
afterEach(() => table.close());

async function start(...answers: TableAnswer[]): Promise<DynamoDbStore> {
  table = await startFakeTable(...answers);
  return new DynamoDbStore({ ...table.options, tableName: 'table', ttlMs: 1000, clock: () => 0 });
}

const operations = () =>
  table.asked.map(({ headers }) => String(headers['x-amz-target']).replace('DynamoDB_20120810.', ''));
/** The parts that each request writes. */
const written = () =>
  table.asked.map(({ body }) => {
    const { table: items } = body.RequestItems as {
      table: { PutRequest: { Item: { sk: { S: string } } } }[];
    };
    return items.map(({ PutRequest: { Item } }) => Number(Item.sk.S));
  });

test('what a throttled table has not taken is written again, and nothing else', async () => {
  const left = (...parts: number[]) =>
    answerOf({
      UnprocessedItems: { table: parts.map((part) => ({ PutRequest: { Item: item(part, 'left') } })) },
    });
  const store = await start(left(1, 2), left(2), answerOf({ UnprocessedItems: {} }));

  const next = await store.append('a', 0, Buffer.alloc(3 * 96_000));

  expect(next).toBe(3);
  expect(written()).toEqual([[0, 1, 2], [1, 2], [2]]);
});

test('a table that never takes everything is a failure, and the same parts may be written again', async () => {
  const never = answerOf({ UnprocessedItems: { table: [{ PutRequest: { Item: item(0, 'left') } }] } });
  const store = await start(never);

  await expect(store.append('a', 0, Buffer.from('log'))).rejects.toThrow(
    'the table does not take everything that is written',
  );
  expect(written()).toEqual([[0], [0], [0]]);
});

test('a log of several pages is read to its end, from where each page says', async () => {
  const key = { pk: { S: 'answer#a' }, sk: { S: '0000000001' } };
  const store = await start(
    answerOf({ Items: [item(0, 'one '), item(1, 'two ')], LastEvaluatedKey: key }),
    // A page may be empty and not the last.
    answerOf({ Items: [], LastEvaluatedKey: key }),
    answerOf({ Items: [item(2, 'é🙂')] }),
  );

  const { log, nextPart } = await store.readLog('a', 0);

  expect([Buffer.from(log).toString(), nextPart]).toEqual(['one two é🙂', 3]);
  expect(table.asked.map(({ body }) => body.ExclusiveStartKey)).toEqual([undefined, key, key]);
});

test('what lies behind a part that is not there yet is not read', async () => {
  const store = await start(answerOf({ Items: [item(4, 'four'), item(6, 'six')] }));

  const { log, nextPart } = await store.readLog('a', 4);

  expect([Buffer.from(log).toString(), nextPart]).toEqual(['four', 5]);
});

test('a session that is taken is told with the answer that has it, which DynamoDB sends along', async () => {
  const store = await start(
    refusal(400, 'ConditionalCheckFailedException', { Item: { requestId: { S: 'other' } } }),
  );

  expect(await store.claim('s', 'mine')).toBe('other');
  expect(operations()).toEqual(['UpdateItem']);
});

test('and is looked up where it is not sent along', async () => {
  const row = { requestId: { S: 'other' }, leaseUntil: { N: '5' }, expiresAt: { N: '5' } };
  const store = await start(refusal(400, 'ConditionalCheckFailedException'), answerOf({ Item: row }));

  expect(await store.claim('s', 'mine')).toBe('other');
  expect(operations()).toEqual(['UpdateItem', 'GetItem']);
});

test.each(['AccessDeniedException', 'ResourceNotFoundException', 'ExpiredTokenException'])(
  '%s is a failure of each operation, and none of them takes it for an answer',
  async (name) => {
    const store = await start(refusal(400, name));

    const asking = [
      store.claim('s', 'a'),
      store.renew('s', 'a'),
      store.release('s', 'a'),
      store.read('s'),
      store.stop('s'),
      store.append('a', 0, Buffer.from('log')),
      store.readLog('a', 0),
    ];

    for (const asked of await Promise.allSettled(asking)) {
      expect(asked).toMatchObject({ status: 'rejected', reason: { name } });
    }
  },
);

test('an empty row is no session, and an empty page no log', async () => {
  const store = await start(NOTHING);

  expect(await store.read('s')).toBeUndefined();
  expect(await store.readLog('a', 0)).toEqual({ log: Buffer.alloc(0), nextPart: 0 });
});
