import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { FUZZ } from '../fixtures/arbitraries.ts';
import { type FakeConnection, MINUTE, PING_INTERVAL_MS } from '../fixtures/fake-connection.ts';
import { freeze, World } from '../fixtures/pool-world.ts';

beforeEach(() => {
  jest.useFakeTimers({ now: Date.UTC(2026, 10, 24) });
});

afterEach(() => {
  jest.useRealTimers();
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
