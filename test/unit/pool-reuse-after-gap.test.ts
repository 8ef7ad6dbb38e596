import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Connection } from '../../lambda/agentcore/connection.ts';
import { FakeConnection, HANDSHAKE_MS, PING_INTERVAL_MS } from '../fixtures/fake-connection.ts';
import { freeze, World } from '../fixtures/pool-world.ts';

beforeEach(() => {
  jest.useFakeTimers({ now: Date.UTC(2026, 10, 24) });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('before reuse after a gap', () => {
  /** Keeps a connection, and lets more than a ping interval go by. */
  async function thawed(world = new World()): Promise<{ world: World; kept: FakeConnection }> {
    const kept = await world.keep('a');
    freeze(PING_INTERVAL_MS + 1);
    world.openSignals.length = 0;
    return { world, kept };
  }

  test('of a ping interval and no more, no ping is needed', async () => {
    const world = new World();
    const kept = await world.keep('a');

    freeze(PING_INTERVAL_MS);

    expect(await world.acquire('a')).toMatchObject({ reused: true });
    expect(kept.pings).toBe(0);
  });

  test('of less than that, a message that lay unread discards it: the next turn would take it for its own', async () => {
    const world = new World();
    const kept = await world.keep('a');
    freeze(1000);
    kept.hasUnreadMessage = true;

    const { connection, reused } = await world.acquire('a');

    expect(reused).toBe(false);
    expect(connection).not.toBe(kept);
    expect(world.discards).toEqual([{ connection: kept, reason: 'disturbed' }]);
  });

  test.each([1000, PING_INTERVAL_MS + 1])(
    'of %i ms, a close frame that lay unread costs a new one and is told as a discard',
    async (ms) => {
      const world = new World();
      const kept = await world.keep('a');
      freeze(ms);
      kept.hasUnreadClose = true;

      const { connection, reused } = await world.acquire('a');

      expect(reused).toBe(false);
      expect(connection).not.toBe(kept);
      expect(world.reasons).toEqual(['dead']);
    },
  );

  test.each([1000, PING_INTERVAL_MS + 1])(
    'of %i ms, a message that has begun meanwhile costs a new one: it would end in the next answer',
    async (ms) => {
      const world = new World();
      const kept = await world.keep('a');
      freeze(ms);
      kept.hasBegunMessage = true;

      expect(await world.acquire('a')).toMatchObject({ reused: false });
      expect(world.reasons).toEqual(['disturbed']);
    },
  );

  test('of a clock that was set back, a ping is needed: nobody knows how long it was', async () => {
    const world = new World();
    const kept = await world.keep('a');
    freeze(-PING_INTERVAL_MS - 1);

    expect(await world.acquire('a')).toMatchObject({ reused: true });
    expect(kept.pings).toBe(1);
  });

  test.each([
    ['the unread input is read', 1000, 0],
    ['the pong is awaited', PING_INTERVAL_MS + 1, 5],
    ['a handshake runs beside the ping', PING_INTERVAL_MS + 1, 100],
  ])('an invocation that is over while %s leaves no connection behind', async (_when, ms, afterMs) => {
    const world = new World();
    const kept = await world.keep('a');
    kept.pongAfterMs = 150;
    freeze(ms);
    const abort = new AbortController();
    if (afterMs === 0) queueMicrotask(() => abort.abort(new Error('deadline')));
    else setTimeout(() => abort.abort(new Error('deadline')), afterMs);

    await expect(world.acquire('a', abort.signal)).rejects.toThrow('deadline');

    expect(kept.isOpen).toBe(false);
    expect(world.reasons).toEqual(['aborted']);
    expect(world.connections.filter(({ isOpen }) => isOpen)).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('a pong within 50 ms is enough, and no handshake is begun', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = 49;

    const { connection, reused, tookMs } = await world.acquire('a');

    expect(connection).toBe(kept);
    expect(reused).toBe(true);
    expect(tookMs).toBeLessThanOrEqual(50);
    expect(world.openSignals).toEqual([]);
  });

  test('after 50 ms a handshake starts beside the ping; a pong that comes first wins and the handshake is given up', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = 150;

    const { connection, reused, tookMs } = await world.acquire('a');

    expect(connection).toBe(kept);
    expect(reused).toBe(true);
    expect(tookMs).toBe(150);
    expect(world.openSignals.map(({ aborted }) => aborted)).toEqual([true]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(world.connections.filter(({ isOpen }) => isOpen)).toEqual([kept]);
    expect(world.reasons).toEqual([]);
  });

  test('a handshake that is ready first wins, and the silent connection is cut off', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = 300;

    const { connection, reused, tookMs } = await world.acquire('a');

    expect(connection).not.toBe(kept);
    expect(reused).toBe(false);
    expect(tookMs).toBe(50 + HANDSHAKE_MS);
    expect(kept.closed).toMatchObject({ code: 1006 });
    expect(world.discards).toEqual([{ connection: kept, reason: 'slow' }]);
  });

  test('a connection that died without a word costs 50 ms and a handshake', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = Number.POSITIVE_INFINITY;

    const { reused, tookMs } = await world.acquire('a');

    expect({ reused, tookMs }).toEqual({ reused: false, tookMs: 50 + HANDSHAKE_MS });
    expect(kept.isOpen).toBe(false);
  });

  test('with a handshake slower than that the silent connection is given up at 500 ms, and the handshake awaited', async () => {
    const world = new World();
    const kept = await world.keep('a');
    freeze(PING_INTERVAL_MS + 1);
    kept.pongAfterMs = Number.POSITIVE_INFINITY;
    const opening = Promise.withResolvers<Connection>();
    const fresh = new FakeConnection();

    const acquired = world.pool.acquire('a', () => opening.promise, new AbortController().signal);
    await jest.advanceTimersByTimeAsync(499);
    expect(kept.isOpen).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    expect(kept.isOpen).toBe(false);
    expect(world.reasons).toEqual(['dead']);
    opening.resolve(fresh as unknown as Connection);

    expect(await acquired).toEqual({ connection: fresh, reused: false });
  });

  test('a close frame instead of the pong costs a handshake, without waiting', async () => {
    const { world, kept } = await thawed();
    kept.ping = async () => {
      kept.closeByPeer();
      return false;
    };

    const { reused, tookMs } = await world.acquire('a');

    expect({ reused, tookMs }).toEqual({ reused: false, tookMs: HANDSHAKE_MS });
    expect(world.reasons).toEqual(['dead']);
  });

  test('a handshake that fails does not matter while the pong may still come', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = 400;
    world.refusal = new Error('refused');

    const { connection, reused } = await world.acquire('a');

    expect(connection).toBe(kept);
    expect(reused).toBe(true);
  });

  test('a handshake that fails beside a dead connection is the failure', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = Number.POSITIVE_INFINITY;
    world.refusal = new Error('refused');

    await expect(world.acquire('a')).rejects.toThrow('refused');

    expect(kept.isOpen).toBe(false);
    expect(world.reasons).toEqual(['dead']);
  });

  test('a new connection that comes in spite of the abort is closed', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = 100;
    const late = Promise.withResolvers<Connection>();
    const unwanted = new FakeConnection();

    const acquired = world.pool.acquire('a', () => late.promise, new AbortController().signal);
    await jest.advanceTimersByTimeAsync(100);
    expect(await acquired).toMatchObject({ reused: true });
    late.resolve(unwanted as unknown as Connection);
    await jest.advanceTimersByTimeAsync(0);

    expect(unwanted.isOpen).toBe(false);
    expect(kept.isOpen).toBe(true);
    expect(world.discards).toEqual([{ connection: unwanted, reason: 'spare' }]);
  });

  test('a message that was waiting, read before the pong, discards it: the next turn would take it for its own', async () => {
    const { world, kept } = await thawed();
    kept.hasUnreadMessage = true;

    const { connection, reused } = await world.acquire('a');

    expect(reused).toBe(false);
    expect(connection).not.toBe(kept);
    expect(kept.isOpen).toBe(false);
    expect(world.discards).toEqual([{ connection: kept, reason: 'disturbed' }]);
  });

  test('a message that is read while a handshake runs beside the ping discards it too', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = 150;
    setTimeout(() => kept.receive(), 100);

    const { connection, reused } = await world.acquire('a');

    expect(reused).toBe(false);
    expect(connection).not.toBe(kept);
    expect(world.discards).toEqual([{ connection: kept, reason: 'disturbed' }]);
    expect(kept.closed).toMatchObject({ code: 1000 });
  });

  test('no timer and no listener is left', async () => {
    const { world, kept } = await thawed();
    kept.pongAfterMs = 150;

    await world.acquire('a');
    await jest.advanceTimersByTimeAsync(1000);

    expect(jest.getTimerCount()).toBe(0);
    expect(kept.listenerCount).toBe(0);
  });
});
