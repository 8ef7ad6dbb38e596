import { describe, expect, jest, test } from '@jest/globals';
import { LEASE_MS, type SessionStore } from '../../lambda/sessions/store.ts';
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

  test.each([
    ['nobody has', undefined, HEAD.requestId, false],
    ['another answer has', 'another', 'another', true],
  ])(
    'and answers after all does not keep the session, which %s',
    async (_who, taker, requestId, isRunning) => {
      if (taker !== undefined) await store.claim(HEAD.session, taker);
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

      expect(await store.read(HEAD.session)).toMatchObject({ requestId, isRunning });
      expect(store.writes).toBe(2);
    },
  );

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

  test('has the whole answer when it fails up to the end', async () => {
    const entries = await answerOf(failingIn([1, 4.9]), 5);

    expect(entries).toEqual([...Array.from({ length: 5 }, (_, i) => text(`${i}`)), END]);
  });

  test('has what it did not take as soon as it works, in silence as well', async () => {
    const recording = record(failingIn([0, 1]));
    await recording.admitted();
    recording.write([text('a')]);

    await jest.advanceTimersByTimeAsync(2000);

    expect((await entriesOf()).slice(1)).toEqual([text('a')]);
    await recording.end(END);
  });

  test('is given up after ten seconds, and takes nothing later', async () => {
    expect(await answerOf(failingIn([1, 13]), 20)).toEqual([text('0')]);
  });
});
