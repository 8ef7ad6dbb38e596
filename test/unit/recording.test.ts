import { describe, expect, jest, test } from '@jest/globals';
import {
  but,
  END,
  entriesOf,
  HEAD,
  record,
  store,
  text,
  told,
  useStore,
  WAIT_MS,
} from '../fixtures/recorded-into.ts';

useStore();

describe('an answer of three seconds', () => {
  test('is written as it was, with no more than fourteen writes, and two a second', async () => {
    const recording = record();
    await recording.admitted();
    for (let i = 0; i < 90; i += 1) {
      recording.write([text(`token ${i} `)]);
      await jest.advanceTimersByTimeAsync(33);
    }

    await recording.end(END);

    const entries = await entriesOf();
    expect(entries[0]).toEqual({ type: 'head', head: HEAD });
    expect(entries.slice(1, -1)).toEqual(Array.from({ length: 90 }, (_, i) => text(`token ${i} `)));
    expect(entries.at(-1)).toEqual(END);
    expect(store.writes).toBeLessThanOrEqual(8);
    expect(await store.read(HEAD.session)).toMatchObject({ isRunning: false });
    expect(told).toEqual({ stops: 0, failures: [] });
  });

  test('that takes a minute holds its session all the time, with two writes a second', async () => {
    const recording = record();
    for (let second = 0; second < 60; second += 1) {
      recording.write([text('x')]);
      await jest.advanceTimersByTimeAsync(1000);
      expect(await store.claim(HEAD.session, 'other')).toBe(HEAD.requestId);
    }

    await recording.end(END);

    expect(store.writes - 60).toBeLessThanOrEqual(120);
  });
});

test('a slow store is written to no more often than a fast one', async () => {
  const slow = but({
    append: async (requestId, part, log) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return store.append(requestId, part, log);
    },
  });
  const recording = record(slow);
  await recording.admitted();
  for (let i = 0; i < 60; i += 1) {
    recording.write([text('x')]);
    await jest.advanceTimersByTimeAsync(100);
  }
  const { writes } = store;
  const ended = recording.end(END);
  await jest.advanceTimersByTimeAsync(1000);
  await ended;

  expect(writes).toBeLessThanOrEqual(12);
});

describe('a session that is busy', () => {
  test('is told before the prompt may be sent, and the running answer keeps it', async () => {
    await store.claim(HEAD.session, 'another');
    const recording = record();

    await recording.admitted();
    await recording.end(END);

    expect(told).toEqual({ busyWith: 'another', stops: 0, failures: [] });
    expect(await store.read(HEAD.session)).toMatchObject({ requestId: 'another', isRunning: true });
    expect(await entriesOf()).toEqual([]);
    expect(store.writes).toBe(2);
  });

  test('is heard of where this process stood still for the whole wait', async () => {
    await store.claim(HEAD.session, 'another');
    const unread = but({
      claim: async (session, requestId) => {
        await new Promise((resolve) => setImmediate(resolve));
        return store.claim(session, requestId);
      },
    });
    const recording = record(unread);
    const admitted = recording.admitted();
    jest.advanceTimersByTime(WAIT_MS);

    await admitted;

    expect(told).toEqual({ busyWith: 'another', stops: 0, failures: [] });
  });

  test('stops no answer that has begun, where the store tells it too late', async () => {
    await store.claim(HEAD.session, 'another');
    let tell = () => {};
    const slow = but({
      claim: async (session, requestId) => {
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
        return store.claim(session, requestId);
      },
    });
    const recording = record(slow);
    const admitted = recording.admitted();
    await jest.advanceTimersByTimeAsync(WAIT_MS);
    await admitted;

    tell();
    await recording.end(END);

    expect(told.busyWith).toBeUndefined();
    expect(told.failures).toEqual([expect.stringMatching(/^another answer runs/)]);
  });
});

describe('a stop', () => {
  test('is seen with the next batch, and in silence as well', async () => {
    const recording = record();
    await recording.admitted();

    await store.stop(HEAD.session);
    await jest.advanceTimersByTimeAsync(700);

    expect(told.stops).toBe(1);
    await recording.end(END);
  });
});

describe('an answer that the store cannot follow', () => {
  /** A text whose line in the log has so many characters. */
  const line = (length: number) => text('x'.repeat(length - '""\n'.length));

  test('is given up when too much of it waits, and not before', async () => {
    const recording = record();
    await recording.admitted();

    recording.write([line(4_000_000)]);
    const before = [...told.failures];
    recording.write([line(4)]);
    expect(jest.getTimerCount()).toBe(0);
    await recording.end(END);

    expect([before, told.failures]).toEqual([[], ['the store is slower than the answer']]);
    expect(await store.read(HEAD.session)).toMatchObject({ isRunning: false });
  });

  test('may be of any length as long as it is taken', async () => {
    const recording = record();
    await recording.admitted();
    for (let i = 0; i < 3; i += 1) {
      recording.write([line(3_000_000)]);
      await jest.advanceTimersByTimeAsync(600);
    }

    await recording.end(END);

    expect(told.failures).toEqual([]);
    expect(await entriesOf()).toHaveLength(5);
  });

  test('is not told of once its session was busy', async () => {
    await store.claim(HEAD.session, 'another');
    const recording = record();
    await recording.admitted();

    recording.write([line(5_000_000)]);
    recording.leave();
    await recording.end(END);

    expect(told.failures).toEqual([]);
  });
});

describe('a session that is lost', () => {
  test('to another answer is left to that', async () => {
    const recording = record();
    await recording.admitted();
    await store.release(HEAD.session, HEAD.requestId);
    await store.claim(HEAD.session, 'next');

    await jest.advanceTimersByTimeAsync(700);
    recording.write([text('late')]);
    await recording.end(END);

    expect(told.failures).toEqual(['the session was taken by another answer']);
    expect(await store.read(HEAD.session)).toMatchObject({ requestId: 'next', isRunning: true });
    expect(await entriesOf()).toEqual([{ type: 'head', head: HEAD }]);
  });

  test('because the store forgot it is not written to', async () => {
    const recording = record(but({ read: async () => undefined }));
    await recording.admitted();

    await jest.advanceTimersByTimeAsync(700);
    await recording.end(END);

    expect(told.failures).toEqual(['the session was taken by another answer']);
  });
});

test('an answer that has ended is not told of by a caller that leaves', async () => {
  const recording = record();
  await recording.admitted();
  await recording.end(END);

  recording.leave();

  expect([told.failures, recording.hasFailed]).toEqual([[], false]);
});
