import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signRequest } from '../../lambda/agentcore/signing.ts';
import { DynamoDbStore } from '../../lambda/sessions/dynamodb.ts';
import { MemoryStore } from '../../lambda/sessions/memory.ts';
import { LEASE_MS, type SessionStore } from '../../lambda/sessions/store.ts';
import { type DynamoDb, startDynamoDb } from '../../local/aws/dynamodb.ts';
import { LOCAL_CREDENTIALS } from '../../local/system.ts';

const TTL_MS = 3_600_000;
let dynamoDb: DynamoDb;
let now = 1_800_000_000_000;
const clock = () => now;

beforeAll(async () => {
  dynamoDb = await startDynamoDb(LOCAL_CREDENTIALS);
});
afterAll(() => dynamoDb.close());

const id = () => crypto.randomUUID();
const bytes = (text: string) => Buffer.from(text);
const newDynamoDbStore = () =>
  new DynamoDbStore({
    tableName: dynamoDb.tableName,
    ttlMs: TTL_MS,
    endpoint: { region: 'us-east-1', origin: new URL(dynamoDb.url) },
    sign: (request) => signRequest(request, async () => LOCAL_CREDENTIALS),
    clock,
    // The table is in this process, which is not idle while it answers.
    timeoutMs: 25_000,
  });

/** Each store as several processes see it; memory is that of one. */
const STORES: [name: string, open: () => [SessionStore, SessionStore]][] = [
  [
    'memory',
    () => {
      const store = new MemoryStore({ ttlMs: TTL_MS, clock });
      return [store, store];
    },
  ],
  ['DynamoDB', () => [newDynamoDbStore(), newDynamoDbStore()]],
];

describe.each(STORES)('a store in %s', (_name, open) => {
  test('gives a session to exactly one of two that race for it, a thousand times', async () => {
    const stores = open();

    for (let race = 0; race < 1000; race += 1) {
      const session = id();
      const racers = [id(), id()];
      const told = await Promise.all(racers.map((racer, i) => stores[i]?.claim(session, racer)));
      const winners = racers.filter((_racer, i) => told[i] === undefined);

      expect(winners).toHaveLength(1);
      expect(told.filter((busyWith) => busyWith !== undefined)).toEqual(winners);
    }
  }, 180_000);

  test('gives an expired lease to exactly one of two that race for it', async () => {
    const stores = open();

    for (let race = 0; race < 100; race += 1) {
      const session = id();
      await stores[0].claim(session, id());
      now += LEASE_MS + 1;
      const told = await Promise.all(stores.map((store) => store.claim(session, id())));

      expect(told.filter((busyWith) => busyWith === undefined)).toHaveLength(1);
    }
  });

  test('holds a session as long as its lease is renewed, and frees it by the clock when it is not', async () => {
    const [mine, theirs] = open();
    const [session, answer] = [id(), id()];
    await mine.claim(session, answer);

    for (let i = 0; i < 5; i += 1) {
      now += LEASE_MS - 1;
      expect(await theirs.claim(session, id())).toBe(answer);
      expect(await mine.renew(session, answer)).toEqual({
        requestId: answer,
        isRunning: true,
        isStopped: false,
      });
    }
    now += LEASE_MS;
    const next = id();

    expect(await theirs.claim(session, next)).toBeUndefined();
    expect(await mine.renew(session, answer)).toBeUndefined();
    await mine.release(session, answer);
    expect(await mine.read(session)).toMatchObject({ requestId: next, isRunning: true });
  });

  test('lets an answer claim its session again, as a request whose reply was lost is made again', async () => {
    const [store] = open();
    const [session, answer] = [id(), id()];

    expect([await store.claim(session, answer), await store.claim(session, answer)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('frees a session at once when it is released, and knows its last answer', async () => {
    const [mine, theirs] = open();
    const [session, answer] = [id(), id()];
    await mine.claim(session, answer);

    await mine.release(session, answer);

    expect(await theirs.read(session)).toEqual({ requestId: answer, isRunning: false, isStopped: false });
    expect(await theirs.claim(session, id())).toBeUndefined();
  });

  test('tells the running answer, and no later one, that it is to stop', async () => {
    const [mine, theirs] = open();
    const [session, answer] = [id(), id()];
    const before = await theirs.stop(session);
    await mine.claim(session, answer);

    const stopped = await theirs.stop(session);
    const seen = [await mine.read(session), await mine.renew(session, answer)];
    await mine.release(session, answer);
    const after = await theirs.stop(session);
    await mine.claim(session, id());

    expect([before, stopped, after]).toEqual([false, true, false]);
    expect(seen.map((state) => state?.isStopped)).toEqual([true, true]);
    expect(await mine.read(session)).toMatchObject({ isStopped: false });
  });

  test('keeps a log in order, and a repeated part once', async () => {
    const [mine, theirs] = open();
    const answer = id();

    const second = await mine.append(answer, 0, bytes('one '));
    await mine.append(answer, 0, bytes('one '));
    const third = await mine.append(answer, second, bytes('two '));
    const { log, nextPart } = await theirs.readLog(answer, 0);
    await mine.append(answer, third, bytes('three'));
    const rest = await theirs.readLog(answer, nextPart);

    expect([Buffer.from(log).toString(), Buffer.from(rest.log).toString()]).toEqual(['one two ', 'three']);
  });

  test('keeps five megabytes as they are', async () => {
    const [mine, theirs] = open();
    const answer = id();
    const log = Buffer.alloc(5_000_000, 'äöü😀 and more ');

    await mine.append(answer, 0, log);
    const kept = await theirs.readLog(answer, 0);

    expect(Buffer.compare(Buffer.from(kept.log), log)).toBe(0);
  });

  test('knows nothing of a session, nor of an answer, that is not kept or has expired', async () => {
    const [store] = open();
    const session = id();
    await store.claim(session, id());
    await store.release(session, id());

    now += TTL_MS + 1000;

    expect(await store.read(session)).toBeUndefined();
    expect(await store.read(id())).toBeUndefined();
    expect((await store.readLog(id(), 0)).log).toHaveLength(0);
  });
});

describe('a store in memory', () => {
  test('makes room by forgetting the oldest answers, never the one that is written', async () => {
    const store = new MemoryStore({ ttlMs: TTL_MS, maxBytes: 1000, clock });
    const [old, next] = [id(), id()];

    await store.append(old, 0, Buffer.alloc(600));
    await store.append(next, 0, Buffer.alloc(600));
    await store.append(next, 1, Buffer.alloc(600));

    const lengths = await Promise.all([old, next].map(async (of) => (await store.readLog(of, 0)).log.length));
    expect(lengths).toEqual([0, 1200]);
  });
});

test("the AWS SDK's client reads from the table what the store has written", async () => {
  const store = newDynamoDbStore();
  const [session, requestId] = [id(), id()];
  await store.claim(session, requestId);
  await store.append(requestId, 0, bytes('é🙂'));
  const client = new DynamoDBClient({
    endpoint: dynamoDb.url,
    region: 'us-east-1',
    credentials: LOCAL_CREDENTIALS,
  });
  const itemOf = async (pk: string, sk: string) => {
    const Key = { pk: { S: pk }, sk: { S: sk } };
    return (await client.send(new GetItemCommand({ TableName: dynamoDb.tableName, Key }))).Item;
  };

  expect(await itemOf(`session#${session}`, 'session')).toMatchObject({
    requestId: { S: requestId },
    leaseUntil: { N: String(now + LEASE_MS) },
  });
  expect(Buffer.from((await itemOf(`answer#${requestId}`, '0000000000'))?.log?.B ?? []).toString()).toBe(
    'é🙂',
  );
  client.destroy();
});
