import { childAbort } from '../child-abort.ts';
import { within } from '../within.ts';
import type { Connection } from './connection.ts';
import { whenWaitingInputIsRead } from './waiting-input.ts';

export interface PoolOptions {
  /** 0: nothing is kept. */
  maxConnections: number;
  maxIdleMs: number;
  maxAgeMs: number;
  pingIntervalMs: number;
  pongTimeoutMs: number;
  /** Called with each kept connection that is not used again, and with each new one that is not used at all. */
  onDiscard?: (connection: Connection, reason: DiscardReason) => void;
}

/**
 * Why a connection is given up. `idle`, `age`: kept or open for too long; `full`: another connection took its place;
 * `replaced`: a newer connection of its session took its place; `disturbed`: something arrived after the answer;
 * `dead`: it is closed, or answers no ping; `slow`: a new connection was there before its pong; `aborted`: its turn
 * ended before it began; `spare`: a new connection that the pong of the kept one made needless; `ended`: its session
 * was ended; `shutdown`: the process ends.
 */
export type DiscardReason =
  | 'idle'
  | 'age'
  | 'full'
  | 'replaced'
  | 'dead'
  | 'disturbed'
  | 'slow'
  | 'aborted'
  | 'spare'
  | 'ended'
  | 'shutdown';

/** When no pong arrives for this long, a new handshake starts beside the ping. */
const PING_HEAD_START_MS = 50;

interface Idle {
  connection: Connection;
  forget: () => void;
}

interface Acquired {
  connection: Connection;
  reused: boolean;
}

type Open = (signal: AbortSignal) => Promise<Connection>;

/**
 * Keeps drained connections for the next turn of their session. All times are those of the wall clock, and a missed
 * interval proves nothing: a frozen environment misses them all.
 */
export class ConnectionPool {
  readonly #idle = new Map<string, Idle>();
  readonly #options: PoolOptions;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#idle.size;
  }

  /**
   * Keeps a drained connection for the next turn.
   *
   * @returns false when the connection is not kept, because reuse is off or it is not drained
   */
  release(key: string, connection: Connection): boolean {
    const { maxConnections, pingIntervalMs } = this.#options;
    if (maxConnections === 0 || !connection.isReusable) return false;
    // Two turns of one session may have run at the same time.
    this.#discard(key, 'replaced');
    if (this.#idle.size >= maxConnections) {
      const [oldest] = this.#idle.keys();
      if (oldest !== undefined) this.#discard(oldest, 'full');
    }
    const forget = connection.onActivity(() => this.#discard(key, connection.isOpen ? 'disturbed' : 'dead'));
    this.#idle.set(key, { connection, forget });
    this.#sweeper ??= setInterval(() => this.#sweep(), pingIntervalMs).unref();
    return true;
  }

  /**
   * Returns the session's kept connection if it is alive, else a new one.
   *
   * @param open opens a connection; its signal is aborted when the kept connection answers first
   * @throws the signal's reason
   */
  async acquire(key: string, open: Open, signal: AbortSignal): Promise<Acquired> {
    const kept = this.#take(key);
    if (!kept) return { connection: await open(signal), reused: false };
    let isAlive = true;
    if (msSince(kept.lastUsedAt) <= this.#options.pingIntervalMs)
      await new Promise<void>(whenWaitingInputIsRead);
    else {
      const pong = kept.ping(this.#options.pongTimeoutMs);
      const answered = await within(pong, PING_HEAD_START_MS);
      isAlive = answered === true;
      if (answered === undefined && reasonToDiscard(kept, signal) === undefined) {
        return this.#pongOrOpen(kept, pong, open, signal);
      }
    }
    const reason = reasonToDiscard(kept, signal) ?? (isAlive ? undefined : 'dead');
    if (reason === undefined) return { connection: kept, reused: true };
    this.#drop(kept, reason);
    return { connection: await open(signal), reused: false };
  }

  /** Takes the kept connection if its pong comes first, else the new one, and closes the other. */
  async #pongOrOpen(
    kept: Connection,
    pong: Promise<boolean>,
    open: Open,
    signal: AbortSignal,
  ): Promise<Acquired> {
    const abandon = childAbort(signal);
    const opening = open(abandon.signal);
    // Either way it is over then, and lets go of the caller's signal.
    opening.then(abandon.release, abandon.release);
    const first = await Promise.race([
      pong.then((isAlive) => (isAlive ? 'pong' : 'dead')),
      opening.then(() => 'slow' as const),
    ]).catch(async () => ((await pong) ? 'pong' : 'dead'));
    const reason =
      reasonToDiscard(kept, signal) ?? (first === 'pong' ? undefined : (first as 'dead' | 'slow'));
    if (reason === undefined) {
      abandon.abort(new Error('the kept connection answered'));
      opening.then((connection) => this.#drop(connection, 'spare')).catch(() => {});
      return { connection: kept, reused: true };
    }
    this.#drop(kept, reason);
    return { connection: await opening, reused: false };
  }

  /** Closes the connection that is kept for a session, because the session was ended. */
  drop(key: string): void {
    this.#discard(key, 'ended');
  }

  /** Closes every connection that is kept. */
  close(): void {
    for (const key of [...this.#idle.keys()]) this.#discard(key, 'shutdown');
  }

  #take(key: string): Connection | undefined {
    const idle = this.#idle.get(key);
    if (!idle) return undefined;
    const expired = this.#expired(idle.connection);
    if (expired) {
      this.#discard(key, expired);
      return undefined;
    }
    this.#forget(key, idle);
    return idle.connection;
  }

  #expired({ isOpen, openedAt, lastUsedAt }: Connection): DiscardReason | undefined {
    if (!isOpen) return 'dead';
    if (msSince(lastUsedAt) > this.#options.maxIdleMs) return 'idle';
    return msSince(openedAt) > this.#options.maxAgeMs ? 'age' : undefined;
  }

  #sweep(): void {
    for (const [key, { connection }] of this.#idle) {
      const expired = this.#expired(connection);
      if (expired) this.#discard(key, expired);
      else connection.keepAlive();
    }
  }

  #discard(key: string, reason: DiscardReason): void {
    const idle = this.#idle.get(key);
    if (!idle) return;
    this.#forget(key, idle);
    this.#drop(idle.connection, reason);
  }

  #drop(connection: Connection, reason: DiscardReason): void {
    // | connection                    | end       | close frame | waits for the peer |
    // | gives no sign of life         | terminate | no          | no                 |
    // | new, and may get messages yet | abandon   | yes         | no                 |
    // | drained                       | close     | yes         | up to a second     |
    if (reason === 'dead' || reason === 'slow') connection.terminate();
    else if (reason === 'spare') connection.abandon();
    else connection.close();
    this.#options.onDiscard?.(connection, reason);
  }

  #forget(key: string, { forget }: Idle): void {
    forget();
    this.#idle.delete(key);
    if (this.#idle.size === 0) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    }
  }
}

/** Why a kept connection must not be used; undefined when nothing is known against it. */
function reasonToDiscard(connection: Connection, signal: AbortSignal): DiscardReason | undefined {
  if (!connection.isOpen) return 'dead';
  if (!connection.isReusable) return 'disturbed';
  return signal.aborted ? 'aborted' : undefined;
}

/** Elapsed time of the wall clock. If the clock was set back, the difference counts as elapsed time. */
function msSince(at: number): number {
  return Math.abs(Date.now() - at);
}
