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
  /** Told of each kept connection that is not used again, and of each new one that is not used at all. */
  onDiscard?: (connection: Connection, reason: DiscardReason) => void;
}

/**
 * `full`: another took its place; `replaced`: by a newer one of its session; `disturbed`: something came after the
 * answer; `dead`: it is closed, or answers no ping; `slow`: a new one was there before its pong; `aborted`: the
 * turn that took it was over before it began; `spare`: a new one, when the kept one's pong came after all; `ended`: its
 * session was; `shutdown`: the process ends.
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

/** After so long without a pong a new handshake starts beside the ping. */
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
 * Keeps drained connections for the next turn of their session. All times are by the wall clock, and nothing
 * is concluded from a missed interval: a frozen environment misses them all.
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
   * @returns false where it is not kept: reuse is off, or the connection is not fit for it
   */
  release(key: string, connection: Connection): boolean {
    const { maxConnections, pingIntervalMs } = this.#options;
    if (maxConnections === 0 || !connection.isReusable) return false;
    // A second connection of the session that ran at the same time.
    this.#discard(key, 'replaced');
    if (this.#idle.size >= maxConnections) {
      const [oldest] = this.#idle.keys();
      if (oldest !== undefined) this.#discard(oldest, 'full');
    }
    const forget = connection.onDisturbed(() => this.#discard(key, connection.isOpen ? 'disturbed' : 'dead'));
    this.#idle.set(key, { connection, forget });
    this.#sweeper ??= setInterval(() => this.#sweep(), pingIntervalMs).unref();
    return true;
  }

  /**
   * The session's kept connection if it lives, else a new one.
   *
   * @param open opens one; the signal is aborted when the kept connection answers first
   * @throws the signal's reason
   */
  async acquire(key: string, open: Open, signal: AbortSignal): Promise<Acquired> {
    const kept = this.#take(key);
    if (!kept) return { connection: await open(signal), reused: false };
    let alive: boolean | undefined = true;
    if (msSince(kept.lastUsedAt) <= this.#options.pingIntervalMs)
      await new Promise<void>(whenWaitingInputIsRead);
    else {
      const pong = kept.ping(this.#options.pongTimeoutMs);
      alive = await within(pong, PING_HEAD_START_MS);
      if (alive === undefined && obstacleTo(kept, signal) === undefined) {
        return this.#pongOrOpen(kept, pong, open, signal);
      }
    }
    const obstacle = obstacleTo(kept, signal) ?? (alive ? undefined : 'dead');
    if (obstacle === undefined) return { connection: kept, reused: true };
    this.#drop(kept, obstacle);
    return { connection: await open(signal), reused: false };
  }

  /** Takes whichever comes first, the pong or the new connection, and closes the other. */
  async #pongOrOpen(
    kept: Connection,
    pong: Promise<boolean>,
    open: Open,
    signal: AbortSignal,
  ): Promise<Acquired> {
    const abandon = new AbortController();
    const opening = open(AbortSignal.any([signal, abandon.signal]));
    const alive = await Promise.race([pong, opening.then(() => undefined)]).catch(() => pong);
    const obstacle = obstacleTo(kept, signal) ?? (alive ? undefined : alive === false ? 'dead' : 'slow');
    if (obstacle === undefined) {
      abandon.abort(new Error('the kept connection answered'));
      opening.then((connection) => this.#drop(connection, 'spare')).catch(() => {});
      return { connection: kept, reused: true };
    }
    this.#drop(kept, obstacle);
    return { connection: await opening, reused: false };
  }

  /** Gives up what is kept for a session that is over. */
  drop(key: string): void {
    this.#discard(key, 'ended');
  }

  /** Gives up every connection that is kept. */
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
    // A close frame where somebody may read it; a peer that gives no sign of life gets none.
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

/** Why a kept connection cannot be used, as far as that is known. */
function obstacleTo(connection: Connection, signal: AbortSignal): DiscardReason | undefined {
  if (!connection.isOpen) return 'dead';
  if (!connection.isReusable) return 'disturbed';
  return signal.aborted ? 'aborted' : undefined;
}

/** By the wall clock, which may also have been set back: that is a gap, too. */
function msSince(at: number): number {
  return Math.abs(Date.now() - at);
}
