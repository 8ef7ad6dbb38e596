import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryStore } from '../../lambda/sessions/memory.ts';
import { LEASE_MS } from '../../lambda/sessions/store.ts';

const TTL_MS = 60_000;

let now: number;
let store: MemoryStore;

beforeEach(() => {
  now = 1_000_000;
  store = new MemoryStore({ ttlMs: TTL_MS, maxBytes: 10, clock: () => now });
});

const bytes = (text: string) => Buffer.from(text);
const logOf = async (requestId: string, part = 0) => {
  const { log, nextPart } = await store.readLog(requestId, part);
  return { log: Buffer.from(log).toString(), nextPart };
};

describe('a session in memory', () => {
  test('is taken until its lease ends, to the millisecond', async () => {
    await store.claim('session', 'first');

    now += LEASE_MS - 1;
    expect(await store.claim('session', 'second')).toBe('first');
    now += 1;
    expect(await store.claim('session', 'second')).toBeUndefined();
  });

  test('may be claimed again by the answer that has it', async () => {
    await store.claim('session', 'first');

    expect(await store.claim('session', 'first')).toBeUndefined();
  });

  test('is held on by a renewal, of the answer that has it alone', async () => {
    await store.claim('session', 'first');
    now += LEASE_MS - 1;

    expect(await store.renew('session', 'second')).toBeUndefined();
    expect(await store.renew('session', 'first')).toEqual({
      requestId: 'first',
      isRunning: true,
      isStopped: false,
    });

    now += LEASE_MS - 1;
    expect(await store.claim('session', 'second')).toBe('first');
    expect(await store.renew('unknown', 'first')).toBeUndefined();
  });

  test('is free once it is released by the answer that has it, and by no other', async () => {
    await store.claim('session', 'first');

    await store.release('session', 'second');
    await store.release('unknown', 'first');
    expect(await store.claim('session', 'second')).toBe('first');
    await store.release('session', 'first');

    expect(await store.read('session')).toEqual({ requestId: 'first', isRunning: false, isStopped: false });
    expect(await store.claim('session', 'second')).toBeUndefined();
  });

  test('can be stopped while its answer runs, and its next answer is not', async () => {
    await store.claim('session', 'first');

    expect(await store.stop('session')).toBe(true);
    expect(await store.read('session')).toEqual({ requestId: 'first', isRunning: true, isStopped: true });
    await store.release('session', 'first');
    expect(await store.stop('session')).toBe(false);
    expect(await store.stop('unknown')).toBe(false);
    await store.claim('session', 'second');

    expect(await store.read('session')).toEqual({ requestId: 'second', isRunning: true, isStopped: false });
  });

  test('is read until its time is over', async () => {
    await store.claim('session', 'first');

    now += TTL_MS - 1;
    expect(await store.read('session')).toMatchObject({ requestId: 'first' });
    now += 1;

    expect(await store.read('session')).toBeUndefined();
    expect(await store.read('unknown')).toBeUndefined();
  });

  test('is not forgotten before its time is over because another one is claimed', async () => {
    await store.claim('session', 'first');
    await store.release('session', 'first');

    await store.claim('another', 'second');

    expect(await store.read('session')).toMatchObject({ requestId: 'first', isRunning: false });
  });

  test('is not forgotten while its answer runs, however short the time is', async () => {
    store = new MemoryStore({ ttlMs: 1, clock: () => now });
    await store.claim('session', 'first');
    now += LEASE_MS - 1;

    await store.claim('another', 'second');

    expect(await store.claim('session', 'third')).toBe('first');
  });
});

describe('a log in memory', () => {
  test('is read from any part on', async () => {
    expect(await store.append('answer', 0, bytes('ab'))).toBe(1);
    expect(await store.append('answer', 1, bytes('c'))).toBe(2);

    expect(await logOf('answer')).toEqual({ log: 'abc', nextPart: 2 });
    expect(await logOf('answer', 1)).toEqual({ log: 'c', nextPart: 2 });
    expect(await logOf('answer', 2)).toEqual({ log: '', nextPart: 2 });
    expect(await logOf('unknown', 3)).toEqual({ log: '', nextPart: 3 });
  });

  test('keeps a part that is repeated once', async () => {
    await store.append('answer', 0, bytes('ab'));

    expect(await store.append('answer', 0, bytes('ab'))).toBe(1);

    expect(await logOf('answer')).toEqual({ log: 'ab', nextPart: 1 });
  });

  test('is forgotten for the logs that began after it, once all of them are too long together', async () => {
    await store.append('oldest', 0, bytes('12345'));
    await store.append('older', 0, bytes('12345'));
    expect(await logOf('oldest')).toMatchObject({ log: '12345' });

    await store.append('new', 0, bytes('1'));

    expect(await logOf('oldest')).toMatchObject({ log: '' });
    expect(await logOf('older')).toMatchObject({ log: '12345' });
    // What is forgotten makes room.
    await store.append('new', 1, bytes('2345'));
    expect(await logOf('older')).toMatchObject({ log: '12345' });
    expect(await logOf('new')).toMatchObject({ log: '12345' });
  });

  test('is never forgotten for itself', async () => {
    await store.append('old', 0, bytes('1'));
    await store.append('long', 0, bytes('12345678901234567890'));

    expect(await logOf('long')).toMatchObject({ log: '12345678901234567890' });
    expect(await logOf('old')).toMatchObject({ log: '' });
  });

  test('is forgotten when its time is over, which each part begins anew', async () => {
    await store.append('answer', 0, bytes('a'));
    now += TTL_MS - 1;
    await store.append('answer', 1, bytes('b'));

    now += TTL_MS - 1;
    await store.claim('session', 'next');
    expect(await logOf('answer')).toMatchObject({ log: 'ab' });
    now += 1;
    await store.claim('session', 'next');

    expect(await logOf('answer')).toMatchObject({ log: '' });
  });
});
