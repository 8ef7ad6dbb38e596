import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createLogReader } from '../../lambda/sessions/answer-log.ts';
import { MemoryStore } from '../../lambda/sessions/memory.ts';
import { Recording } from '../../lambda/sessions/recording.ts';
import { LEASE_MS, type SessionStore } from '../../lambda/sessions/store.ts';

const HEAD = {
  session: 'key',
  sessionId: 's'.repeat(33),
  agentId: 'onboarding',
  requestId: 'answer-1',
  sessionReplaced: false,
};
const END = { type: 'ended', stats: { chunks: 1 } } as const;
const WAIT_MS = 40;

/** As far from the answer as DynamoDB is, and counting what is written to it. */
class FarStore extends MemoryStore {
  override readonly intervalMs = 600;
  writes = 0;
  override async claim(session: string, requestId: string) {
    this.writes += 1;
    return super.claim(session, requestId);
  }
  override async renew(session: string, requestId: string) {
    this.writes += 1;
    return super.renew(session, requestId);
  }
  override async release(session: string, requestId: string) {
    this.writes += 1;
    return super.release(session, requestId);
  }
  override async append(requestId: string, part: number, log: Uint8Array) {
    this.writes += 1;
    return super.append(requestId, part, log);
  }
}

let store: FarStore;
let told: { busyWith?: string; stops: number; failures: unknown[] };

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  store = new FarStore({ ttlMs: 3_600_000 });
  told = { stops: 0, failures: [] };
});
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const record = (opened: SessionStore | Promise<SessionStore> = store, requestId = HEAD.requestId) =>
  new Recording({
    store: Promise.resolve(opened),
    waitMs: WAIT_MS,
    head: { ...HEAD, requestId },
    onBusy: (busyWith) => {
      told.busyWith = busyWith;
    },
    onStop: () => {
      told.stops += 1;
    },
    onFailure: (error) => told.failures.push((error as Error).message),
  });
const entriesOf = async (requestId = HEAD.requestId) =>
  createLogReader()((await store.readLog(requestId, 0)).log);
const text = (said: string) => ({ type: 'text', text: said }) as const;

/** A store of which some methods are replaced. */
const but = (replaced: Partial<SessionStore>): SessionStore =>
  new Proxy<SessionStore>(store, {
    get: (target, name: keyof SessionStore) => {
      const member = replaced[name] ?? target[name];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });

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

describe('a session that is busy', () => {
  test('is told before the prompt may be sent, and the running answer keeps it', async () => {
    await store.claim(HEAD.session, 'another');
    const recording = record();

    await recording.admitted();
    await recording.end(END);

    expect(told).toEqual({ busyWith: 'another', stops: 0, failures: [] });
    expect(await store.read(HEAD.session)).toMatchObject({ requestId: 'another', isRunning: true });
    expect(await entriesOf()).toEqual([]);
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
    expect(told.failures).toHaveLength(1);
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

describe('a store that fails', () => {
  test.each<[what: string, replaced: Partial<SessionStore>]>([
    ['to open', {}],
    ['to claim', { claim: () => Promise.reject(new Error('denied')) }],
    ['to append', { append: () => Promise.reject(new Error('denied')) }],
    ['to look', { read: () => Promise.reject(new Error('denied')) }],
    ['to release', { release: () => Promise.reject(new Error('denied')) }],
  ])('%s is told once, and throws nothing', async (what, replaced) => {
    const broken = what === 'to open' ? Promise.reject(new Error('denied')) : but(replaced);
    const recording = record(broken);
    await recording.admitted();
    for (let i = 0; i < 20; i += 1) {
      recording.write([text('x')]);
      await jest.advanceTimersByTimeAsync(1000);
    }

    await recording.end(END);

    expect(told.failures).toEqual(['denied']);
    expect(recording.hasFailed).toBe(true);
  });

  test('holds a prompt back no longer than it may, and is given up where it has not answered', async () => {
    const silent = but({ claim: () => new Promise(() => {}) });
    const recording = record(silent);
    let isAdmitted = false;
    const admitted = recording.admitted().then(() => {
      isAdmitted = true;
    });

    await jest.advanceTimersByTimeAsync(WAIT_MS - 1);
    const before = isAdmitted;
    await jest.advanceTimersByTimeAsync(1);
    await admitted;
    recording.leave();

    expect([before, isAdmitted]).toEqual([false, true]);
    expect(told.failures).toEqual(['the store did not answer in time']);
  });

  test('and answers after all does not keep the session', async () => {
    let tell = () => {};
    const late = but({
      claim: async (session, requestId) => {
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
        return store.claim(session, requestId);
      },
    });
    const recording = record(late);
    await jest.advanceTimersByTimeAsync(0);
    recording.leave();

    tell();
    await jest.advanceTimersByTimeAsync(1);

    expect(await store.read(HEAD.session)).toMatchObject({ isRunning: false });
  });

  test('for a moment loses nothing, and repeats what was not taken', async () => {
    let failures = 2;
    const shaky = but({
      append: (requestId, part, log) => {
        failures -= 1;
        return failures >= 0 ? Promise.reject(new Error('throttled')) : store.append(requestId, part, log);
      },
    });
    const recording = record(shaky);
    await recording.admitted();
    for (let i = 0; i < 8; i += 1) {
      recording.write([text(`${i}`)]);
      await jest.advanceTimersByTimeAsync(500);
    }

    await recording.end(END);

    expect((await entriesOf()).slice(1, -1)).toEqual(Array.from({ length: 8 }, (_, i) => text(`${i}`)));
    expect(told.failures).toEqual(['throttled']);
  });

  test('for longer than a lease leaves the session to whoever claims it then', async () => {
    const recording = record(but({ renew: () => Promise.reject(new Error('gone')) }));
    await recording.admitted();
    await jest.advanceTimersByTimeAsync(LEASE_MS + 1);

    const next = await store.claim(HEAD.session, 'next');
    await jest.advanceTimersByTimeAsync(20_000);
    await recording.end(END);

    expect(next).toBeUndefined();
    expect(await store.read(HEAD.session)).toMatchObject({ requestId: 'next' });
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

describe('a store that fails again and again', () => {
  /** Takes what is written except in these stretches of seconds since the beginning. */
  const failingIn = (...stretches: (readonly [from: number, to: number])[]) => {
    const startedAt = Date.now();
    return but({
      append: (requestId, part, log) => {
        const second = (Date.now() - startedAt) / 1000;
        return stretches.some(([from, to]) => second >= from && second < to)
          ? Promise.reject(new Error('throttled'))
          : store.append(requestId, part, log);
      },
    });
  };
  const answerOf = async (opened: SessionStore, seconds: number) => {
    const recording = record(opened);
    await recording.admitted();
    for (let second = 0; second < seconds; second += 1) {
      recording.write([text(`${second}`)]);
      await jest.advanceTimersByTimeAsync(1000);
    }
    await recording.end(END);
    return (await entriesOf()).slice(1);
  };

  test('has the whole answer when it never fails for ten seconds', async () => {
    const entries = await answerOf(failingIn([1, 9], [10, 18]), 20);

    expect(entries).toEqual([...Array.from({ length: 20 }, (_, i) => text(`${i}`)), END]);
  });

  test('is given up after ten seconds, and takes nothing later', async () => {
    expect(await answerOf(failingIn([1, 13]), 20)).toEqual([text('0')]);
  });
});

test('an answer that has ended is not told of by a caller that leaves', async () => {
  const recording = record();
  await recording.admitted();
  await recording.end(END);

  recording.leave();

  expect([told.failures, recording.hasFailed]).toEqual([[], false]);
});
