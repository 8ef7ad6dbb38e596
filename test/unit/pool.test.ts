import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Connection } from '../../lambda/agentcore/connection.ts';
import { ConnectionPool, type DiscardReason, type PoolOptions } from '../../lambda/agentcore/pool.ts';
import { FUZZ } from '../fixtures/arbitraries.ts';

const MINUTE = 60_000;
const PING_INTERVAL_MS = 20_000;
const HANDSHAKE_MS = 200;
const ROUND_TRIP_MS = 10;

/** The public surface of a Connection, over a peer that may be gone without a word. */
class FakeConnection implements Pick<Connection, keyof Connection> {
  readonly openedAt = Date.now();
  lastUsedAt = Date.now();
  closed: Connection['closed'];
  /** How long a pong takes; infinite when the peer is gone without a close frame. */
  pongAfterMs = ROUND_TRIP_MS;
  readonly owner = { agent: 'mwc', sessionId: 'session-1' };
  readonly upstreamRequestId = undefined;
  /** Arrived in a freeze: it is read in the second turn of the event loop, before any pong. */
  hasUnreadMessage = false;
  /** So did a close frame; of one that has been read, the close itself is told a little later. */
  hasUnreadClose = false;
  /** Half a message, or the half of a frame, was read. */
  hasBegunMessage = false;
  pings = 0;
  readonly #listeners = new Set<() => void>();
  #isClosing = false;
  #isDisturbed = false;
  #onClose = () => {};

  get isOpen(): boolean {
    return this.closed === undefined && !this.#isClosing;
  }

  get isReusable(): boolean {
    return this.isOpen && !this.#isDisturbed && !this.hasBegunMessage;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  exchange(): never {
    throw new Error('the pool exchanges nothing');
  }

  failure(): undefined {
    return undefined;
  }

  ping(timeoutMs: number): Promise<boolean> {
    if (!this.isOpen) return Promise.resolve(false);
    this.pings += 1;
    return new Promise((resolve) => {
      const isAnswered = this.pongAfterMs < timeoutMs;
      const timer = setTimeout(() => resolve(isAnswered), Math.min(this.pongAfterMs, timeoutMs));
      this.#onClose = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }

  keepAlive(): void {
    this.pings += 1;
  }

  onActivity(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The environment is awake: what has arrived is about to be read. */
  wake(): void {
    if (this.hasUnreadMessage) setImmediate(() => setImmediate(() => this.receive()));
    if (this.hasUnreadClose) setImmediate(() => setImmediate(() => this.#readClose()));
  }

  #readClose(): void {
    this.hasUnreadClose = false;
    this.#isClosing = true;
    setTimeout(() => this.#end(1000), 2);
  }

  /** The agent says something. */
  receive(): void {
    this.hasUnreadMessage = false;
    this.#isDisturbed = true;
    this.#disturb();
  }

  /** The agent, or the service, closes with a close frame. */
  closeByPeer(): void {
    this.#end(1001);
  }

  close(): void {
    this.#end(1000);
  }

  abandon(): void {
    this.#end(1006);
  }

  terminate(): void {
    this.#end(1006);
  }

  #end(code: number): void {
    if (this.closed) return;
    this.closed = { code, reason: '' };
    this.#onClose();
    this.#disturb();
  }

  #disturb(): void {
    for (const listener of [...this.#listeners]) {
      this.#listeners.delete(listener);
      listener();
    }
  }
}

interface Discard {
  connection: FakeConnection;
  reason: DiscardReason;
}

/** A pool, everything that was opened for it, and everything that it reported. */
class World {
  readonly connections: FakeConnection[] = [];
  readonly discards: Discard[] = [];
  readonly pool: ConnectionPool;
  /** Opening fails with this, when set. */
  refusal: Error | undefined;
  readonly openSignals: AbortSignal[] = [];
  readonly #released = new Map<string, FakeConnection>();

  constructor(options: Partial<PoolOptions> = {}) {
    this.pool = new ConnectionPool({
      maxConnections: 100,
      maxIdleMs: 5 * MINUTE,
      maxAgeMs: 55 * MINUTE,
      pingIntervalMs: PING_INTERVAL_MS,
      pongTimeoutMs: 500,
      onDiscard: (connection, reason) => {
        this.discards.push({ connection: connection as unknown as FakeConnection, reason });
      },
      ...options,
    });
  }

  get reasons(): DiscardReason[] {
    return this.discards.map(({ reason }) => reason);
  }

  /** Acquires, and says how long that took. */
  async acquire(
    key: string,
    signal = new AbortController().signal,
  ): Promise<{ connection: FakeConnection; reused: boolean; tookMs: number }> {
    const startedAt = performance.now();
    let settledAt: number | undefined;
    this.#released.get(key)?.wake();
    const acquired = this.pool
      .acquire(key, (opening) => this.#open(opening), signal)
      .finally(() => {
        settledAt = performance.now();
      });
    acquired.catch(() => {});
    await jest.advanceTimersByTimeAsync(0);
    while (settledAt === undefined) await jest.advanceTimersByTimeAsync(10);
    const { connection, reused } = await acquired;
    return { connection: connection as unknown as FakeConnection, reused, tookMs: settledAt - startedAt };
  }

  /** Gives a connection back, as after a drained exchange. */
  release(key: string, connection: FakeConnection): void {
    connection.lastUsedAt = Date.now();
    this.#released.set(key, connection);
    if (!this.pool.release(key, connection as unknown as Connection)) connection.close();
  }

  /** Opens a connection and lets the pool keep it. */
  async keep(key: string): Promise<FakeConnection> {
    const { connection } = await this.acquire(key);
    this.release(key, connection);
    return connection;
  }

  async #open(signal: AbortSignal): Promise<Connection> {
    this.openSignals.push(signal);
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const timer = setTimeout(() => {
        if (this.refusal) return reject(this.refusal);
        const connection = new FakeConnection();
        this.connections.push(connection);
        resolve(connection as unknown as Connection);
      }, HANDSHAKE_MS);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
  }
}

/** The environment is frozen: the wall clock goes on, timers do not. */
function freeze(ms: number): void {
  jest.setSystemTime(Date.now() + ms);
}

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

describe('whatever happens in whatever order', () => {
  const MAX_CONNECTIONS = 2;

  /** What is known without looking into the pool. */
  interface Model {
    kept: Map<string, FakeConnection>;
    inUse: { key: string; connection: FakeConnection }[];
    disturbed: Set<FakeConnection>;
    closed: Set<FakeConnection>;
  }
  type Command = fc.AsyncCommand<Model, World>;

  const isExpired = ({ openedAt, lastUsedAt }: FakeConnection) =>
    Date.now() - lastUsedAt > 5 * MINUTE || Date.now() - openedAt > 55 * MINUTE;
  const dropSilently = (connection: FakeConnection) => {
    connection.pongAfterMs = Number.POSITIVE_INFINITY;
  };
  const peerIsGone = ({ pongAfterMs }: FakeConnection) => pongAfterMs === Number.POSITIVE_INFINITY;

  /** Every discard that was reported must have its reason. */
  function takeDiscards(
    model: Model,
    world: World,
    other: { taken?: FakeConnection; released?: string } = {},
  ): void {
    for (const { connection, reason } of world.discards.splice(0)) {
      const oldest = [...model.kept.values()][0];
      const [key] = [...model.kept].find(([, kept]) => kept === connection) ?? [];
      expect(key !== undefined || connection === other.taken).toBe(true);
      if (reason === 'idle' || reason === 'age') expect(isExpired(connection)).toBe(true);
      if (reason === 'disturbed') expect(model.disturbed.has(connection)).toBe(true);
      if (reason === 'slow') expect(peerIsGone(connection)).toBe(true);
      if (reason === 'dead') expect(peerIsGone(connection) || model.closed.has(connection)).toBe(true);
      if (reason === 'replaced') expect(key).toBe(other.released);
      if (reason === 'full') {
        expect(connection).toBe(oldest);
        expect(model.kept.size).toBe(MAX_CONNECTIONS);
        expect(other.released).toBeDefined();
      }
      if (key !== undefined) model.kept.delete(key);
    }
  }

  /** Pool and model agree, and nothing that is open is forgotten. */
  function compare(model: Model, world: World): void {
    expect(world.pool.size).toBe(model.kept.size);
    expect(world.pool.size).toBeLessThanOrEqual(MAX_CONNECTIONS);
    for (const connection of world.connections) {
      const isKept = [...model.kept.values()].includes(connection);
      const isInUse = model.inUse.some((use) => use.connection === connection);
      expect(isKept && isInUse).toBe(false);
      if (isKept) expect(connection.isOpen).toBe(true);
      if (!isKept && !isInUse) expect(connection.isOpen).toBe(false);
      if (!isKept) expect(connection.listenerCount).toBe(0);
    }
  }

  /** An environment that is awake reads what has arrived. */
  function readWhatWaits({ kept, disturbed, closed }: Model): void {
    for (const connection of kept.values()) {
      if (connection.hasUnreadMessage) {
        disturbed.add(connection);
        connection.receive();
      } else if (connection.hasUnreadClose) {
        closed.add(connection);
        connection.closeByPeer();
      }
    }
  }

  const acquire = (key: string): Command => ({
    check: () => true,
    async run(model, world) {
      const kept = model.kept.get(key);
      const needsPing = kept !== undefined && Date.now() - kept.lastUsedAt > PING_INTERVAL_MS;
      const isLost =
        kept?.hasUnreadMessage === true ||
        kept?.hasUnreadClose === true ||
        kept?.hasBegunMessage === true ||
        (needsPing && peerIsGone(kept));
      const isWelcome = kept !== undefined && !isExpired(kept) && !isLost;
      if (kept && !isExpired(kept)) model.kept.delete(key);
      if (kept?.hasUnreadMessage || kept?.hasBegunMessage) model.disturbed.add(kept);
      if (kept?.hasUnreadClose) model.closed.add(kept);

      const { connection, reused } = await world.acquire(key);

      expect(reused).toBe(isWelcome);
      if (reused) expect(connection).toBe(kept);
      else expect(model.inUse.map((use) => use.connection)).not.toContain(connection);
      expect(connection.isOpen).toBe(true);
      model.inUse.push({ key, connection });
      takeDiscards(model, world, kept && { taken: kept });
      compare(model, world);
    },
    toString: () => `acquire ${key}`,
  });

  const finish = (index: number, isDrained: boolean): Command => ({
    check: ({ inUse }) => inUse.length > 0,
    async run(model, world) {
      const [use] = model.inUse.splice(index % model.inUse.length, 1);
      if (!use) throw new Error('nothing is in use');
      const { key, connection } = use;

      if (isDrained) {
        world.release(key, connection);
        takeDiscards(model, world, { released: key });
        model.kept.set(key, connection);
      } else {
        connection.close();
        takeDiscards(model, world);
      }

      compare(model, world);
    },
    toString: () => `${isDrained ? 'release' : 'discard'} ${index}`,
  });

  const befall = (
    what: string,
    key: string,
    happen: (connection: FakeConnection, model: Model) => void,
  ): Command => ({
    check: ({ kept }) => kept.has(key),
    async run(model, world) {
      const kept = model.kept.get(key);
      if (kept) happen(kept, model);
      takeDiscards(model, world);
      compare(model, world);
    },
    toString: () => `${what} ${key}`,
  });

  const freezeFor = (ms: number): Command => ({
    check: () => true,
    async run(model, world) {
      freeze(ms);
      // The service drops a silent socket, and a frozen environment hears nothing of it.
      if (ms > MINUTE) for (const connection of model.kept.values()) dropSilently(connection);
      takeDiscards(model, world);
      compare(model, world);
    },
    toString: () => `freeze ${ms} ms`,
  });

  const tick = (ms: number): Command => ({
    check: () => true,
    async run(model, world) {
      const overdue = [...model.kept.values()].filter(isExpired);

      readWhatWaits(model);
      await jest.advanceTimersByTimeAsync(ms);

      takeDiscards(model, world);
      compare(model, world);
      if (ms >= PING_INTERVAL_MS) expect(overdue.filter(({ isOpen }) => isOpen)).toEqual([]);
    },
    toString: () => `tick ${ms} ms`,
  });

  /** An overdue timer fires as soon as the environment is awake. */
  const thaw: Command = {
    check: () => true,
    async run(model, world) {
      const overdue = [...model.kept.values()].filter(isExpired);

      readWhatWaits(model);
      await jest.advanceTimersToNextTimerAsync();

      takeDiscards(model, world);
      compare(model, world);
      expect(overdue.filter(({ isOpen }) => isOpen)).toEqual([]);
    },
    toString: () => 'thaw',
  };

  const key = fc.constantFrom('a', 'b', 'c');
  const acquiring = key.map((name) => acquire(name));
  const releasing = fc.nat(5).map((index) => finish(index, true));
  const commands = fc.commands(
    [
      // Most of what befalls a connection befalls a kept one: there must be some.
      acquiring,
      acquiring,
      acquiring,
      releasing,
      releasing,
      releasing,
      fc.nat(5).map((index) => finish(index, false)),
      fc
        .constantFrom(1000, PING_INTERVAL_MS + 1, 70_000, 4 * MINUTE, 6 * MINUTE, 56 * MINUTE)
        .map((ms) => freezeFor(ms)),
      fc.constantFrom(1, 1000, PING_INTERVAL_MS, 2 * MINUTE).map((ms) => tick(ms)),
      fc.constant(thaw),
      key.map((name) => befall('drop', name, dropSilently)),
      key.map((name) =>
        befall('close frame to', name, (connection, model) => {
          model.closed.add(connection);
          connection.closeByPeer();
        }),
      ),
      key.map((name) =>
        befall('late message to', name, (connection, model) => {
          model.disturbed.add(connection);
          connection.receive();
        }),
      ),
      key.map((name) =>
        befall('the start of a late message to', name, (connection) => {
          connection.hasBegunMessage = true;
        }),
      ),
      fc.tuple(key, fc.constantFrom(1000, PING_INTERVAL_MS + 1)).map(([name, ms]) =>
        befall(`close frame, in a freeze of ${ms} ms, to`, name, (connection) => {
          connection.hasUnreadClose = true;
          freeze(ms);
        }),
      ),
      fc.tuple(key, fc.constantFrom(1000, PING_INTERVAL_MS + 1)).map(([name, ms]) =>
        befall(`late message, in a freeze of ${ms} ms, to`, name, (connection) => {
          connection.hasUnreadMessage = true;
          freeze(ms);
        }),
      ),
    ],
    { maxCommands: 30 },
  );

  test('a session gets its own living connection or a new one, and none is forgotten', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        jest.clearAllTimers();
        const world = new World({ maxConnections: MAX_CONNECTIONS });
        const model: Model = { kept: new Map(), inUse: [], disturbed: new Set(), closed: new Set() };

        await fc.asyncModelRun(() => ({ model, real: world }), list);

        // Nothing is kept for ever.
        await jest.advanceTimersByTimeAsync(6 * MINUTE);
        for (const { connection } of model.inUse) connection.close();
        expect(world.connections.filter(({ isOpen }) => isOpen)).toEqual([]);
        expect(jest.getTimerCount()).toBe(0);
      }),
      FUZZ,
    );
  });
});
