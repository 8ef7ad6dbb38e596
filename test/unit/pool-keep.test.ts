import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { MINUTE, PING_INTERVAL_MS } from '../fixtures/fake-connection.ts';
import { freeze, World } from '../fixtures/pool-world.ts';

beforeEach(() => {
  jest.useFakeTimers({ now: Date.UTC(2026, 10, 24) });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('a connection that was released', () => {
  test('serves the next turn of its session, at once and without a ping', async () => {
    const world = new World();
    const kept = await world.keep('a');

    const { connection, reused, tookMs } = await world.acquire('a');

    expect({ reused, pings: kept.pings }).toEqual({ reused: true, pings: 0 });
    // Fake time counts a millisecond for the second turn of the event loop.
    expect(tookMs).toBeLessThanOrEqual(1);
    expect(connection).toBe(kept);
    expect(world.pool.size).toBe(0);
    expect(kept.listenerCount).toBe(0);
    expect(world.reasons).toEqual([]);
  });

  test('serves nobody else', async () => {
    const world = new World();
    const kept = await world.keep('runtime DEFAULT session-1');

    const { connection, reused } = await world.acquire('runtime DEFAULT session-2');

    expect(reused).toBe(false);
    expect(connection).not.toBe(kept);
    expect(kept.isOpen).toBe(true);
  });

  test('serves one exchange at a time', async () => {
    const world = new World();
    const kept = await world.keep('a');

    const first = await world.acquire('a');
    const second = await world.acquire('a');

    expect(first.connection).toBe(kept);
    expect(second).toMatchObject({ reused: false });
  });

  test('is not kept when a message has begun on it: it would end in the next answer', async () => {
    const world = new World();
    const { connection } = await world.acquire('a');

    connection.hasBegunMessage = true;
    world.release('a', connection);

    expect(world.pool.size).toBe(0);
    expect(connection.isOpen).toBe(false);
  });

  test('is not kept when it is closed already', async () => {
    const world = new World();
    const { connection } = await world.acquire('a');

    connection.closeByPeer();
    world.release('a', connection);

    expect(world.pool.size).toBe(0);
    expect(await world.acquire('a')).toMatchObject({ reused: false });
  });

  test('replaces the one that the session has there already', async () => {
    const world = new World();
    const first = await world.acquire('a');
    const second = await world.acquire('a');

    world.release('a', first.connection);
    world.release('a', second.connection);

    expect(world.pool.size).toBe(1);
    expect(world.discards).toEqual([{ connection: first.connection, reason: 'replaced' }]);
    expect(first.connection.closed).toMatchObject({ code: 1000 });
    expect((await world.acquire('a')).connection).toBe(second.connection);
  });
});

describe('maxConnections', () => {
  test('0 turns reuse off: every connection is closed after its answer', async () => {
    const world = new World({ maxConnections: 0 });

    const kept = await world.keep('a');

    expect(world.pool.size).toBe(0);
    expect(kept.closed).toMatchObject({ code: 1000 });
    expect(await world.acquire('a')).toMatchObject({ reused: false });
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is held by closing the one that waited longest', async () => {
    const world = new World({ maxConnections: 2 });

    const [first, second, third] = [await world.keep('a'), await world.keep('b'), await world.keep('c')];

    expect(world.pool.size).toBe(2);
    expect(world.discards).toEqual([{ connection: first, reason: 'full' }]);
    expect(first.isOpen).toBe(false);
    expect([second.isOpen, third.isOpen]).toEqual([true, true]);
  });

  test('does not count a connection twice that replaces another of its session', async () => {
    const world = new World({ maxConnections: 2 });
    await world.keep('a');
    await world.keep('b');
    freeze(PING_INTERVAL_MS);
    const again = await world.acquire('b');
    await world.keep('b');

    world.release('b', again.connection);

    expect(world.pool.size).toBe(2);
    expect(await world.acquire('a')).toMatchObject({ reused: true });
  });
});

describe('a kept connection is discarded', () => {
  test('when a message comes: it is not the answer of the next turn', async () => {
    const world = new World();
    const kept = await world.keep('a');

    kept.receive();

    expect(world.discards).toEqual([{ connection: kept, reason: 'disturbed' }]);
    expect(kept.closed).toMatchObject({ code: 1000 });
    expect(world.pool.size).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('when it is closed by the other side', async () => {
    const world = new World();
    const kept = await world.keep('a');

    kept.closeByPeer();

    expect(world.discards).toEqual([{ connection: kept, reason: 'dead' }]);
    expect(world.pool.size).toBe(0);
  });

  test.each<[string, number, boolean]>([
    ['5 minutes', 5 * MINUTE, true],
    ['more than 5 minutes', 5 * MINUTE + 1, false],
  ])(
    'when it has been idle for more than the limit, by the wall clock: %s',
    async (_what, frozenMs, reused) => {
      const world = new World();
      const kept = await world.keep('a');

      freeze(frozenMs);

      expect(await world.acquire('a')).toMatchObject({ reused });
      expect(kept.isOpen).toBe(reused);
      expect(world.reasons).toEqual(reused ? [] : ['idle']);
    },
  );

  test.each<[string, number, boolean]>([
    ['55 minutes', 0, true],
    ['more than 55 minutes', 1, false],
  ])('when it is older than the limit, by the wall clock: %s', async (_what, extraMs, reused) => {
    const world = new World();
    const { connection } = await world.acquire('a');

    freeze(55 * MINUTE + extraMs);
    world.release('a', connection);

    expect(await world.acquire('a')).toMatchObject({ reused });
    expect(world.reasons).toEqual(reused ? [] : ['age']);
  });

  test('within a ping interval after its time was over, when the environment is awake', async () => {
    const world = new World();
    const kept = await world.keep('a');

    await jest.advanceTimersByTimeAsync(5 * MINUTE + PING_INTERVAL_MS);

    expect(world.reasons).toEqual(['idle']);
    expect(kept.isOpen).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('while the environment is awake', () => {
  test('every kept connection is pinged in every interval', async () => {
    const world = new World();
    const kept = [await world.keep('a'), await world.keep('b')];

    await jest.advanceTimersByTimeAsync(3 * PING_INTERVAL_MS);

    expect(kept.map(({ pings }) => pings)).toEqual([3, 3]);
  });

  test('a connection in use is not the pool’s to ping', async () => {
    const world = new World();
    await world.keep('b');
    const { connection } = await world.acquire('a');

    await jest.advanceTimersByTimeAsync(3 * PING_INTERVAL_MS);

    expect(connection.pings).toBe(0);
  });

  test('nothing is concluded from intervals that a freeze swallowed', async () => {
    const world = new World();
    const kept = await world.keep('a');

    freeze(4 * MINUTE);
    await jest.advanceTimersToNextTimerAsync();

    expect(kept.isOpen).toBe(true);
    expect(world.pool.size).toBe(1);
  });
});

test('without a kept connection a failure to open is passed on', async () => {
  const world = new World();
  world.refusal = new Error('refused');

  await expect(world.acquire('a')).rejects.toThrow('refused');
});

test('the signal of the invocation reaches the opening', async () => {
  const world = new World();
  const abort = new AbortController();
  const opening = world.pool.acquire(
    'a',
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    abort.signal,
  );

  abort.abort(new Error('deadline'));

  await expect(opening).rejects.toThrow('deadline');
});
