import type { Connection } from './connection.ts';

export interface PoolOptions {
  /** 0: nothing is kept. */
  maxConnections: number;
  maxIdleMs: number;
  maxAgeMs: number;
  pingIntervalMs: number;
  pongTimeoutMs: number;
  /** Told of each kept connection that is not used again. */
  onDiscard?: (connection: Connection, reason: DiscardReason) => void;
}

/**
 * `full`: another took its place; `replaced`: by a newer one of its session; `disturbed`: something came after the
 * answer; `dead`: it is closed, or answers no ping; `slow`: a new one was there before its pong; `aborted`: the
 * turn that took it was over before it began.
 */
export type DiscardReason = 'idle' | 'age' | 'full' | 'replaced' | 'dead' | 'disturbed' | 'slow' | 'aborted';

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
    const reuse = new Reuse(kept, signal);
    try {
      const isRecent = msSince(kept.lastUsedAt) <= this.#options.pingIntervalMs;
      const proof = isRecent ? waitingInputIsRead() : kept.ping(this.#options.pongTimeoutMs);
      const early = await Promise.race([proof, reuse.headStart]);
      if (early === 'over' && reuse.obstacle === undefined) {
        return await this.#proofOrOpen(reuse, proof, open, signal);
      }
      const obstacle = reuse.obstacle ?? (early === true ? undefined : 'dead');
      if (obstacle === undefined) return { connection: kept, reused: true };
      this.#drop(kept, obstacle);
    } finally {
      reuse.end();
    }
    return { connection: await open(signal), reused: false };
  }

  /** Takes whichever comes first, the pong or the new connection, and closes the other. */
  async #proofOrOpen(
    reuse: Reuse,
    proof: Promise<boolean>,
    open: Open,
    signal: AbortSignal,
  ): Promise<Acquired> {
    const abandon = new AbortController();
    const opening = open(AbortSignal.any([signal, abandon.signal]));
    const alive = await Promise.race([proof, opening.then(() => undefined)]).catch(() => proof);
    const obstacle = reuse.obstacle ?? (alive === true ? undefined : alive === false ? 'dead' : 'slow');
    if (obstacle === undefined) {
      abandon.abort(new Error('the kept connection answered'));
      opening.then((connection) => connection.close()).catch(() => {});
      return { connection: reuse.connection, reused: true };
    }
    this.#drop(reuse.connection, obstacle);
    return { connection: await opening, reused: false };
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

/** A kept connection on its way back into use. */
class Reuse {
  readonly connection: Connection;
  /** Resolves when the proof has taken so long that a new handshake shall start beside it. */
  readonly headStart: Promise<'over'>;
  readonly #signal: AbortSignal;
  readonly #forget: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isDisturbed = false;

  constructor(connection: Connection, signal: AbortSignal) {
    this.connection = connection;
    this.#signal = signal;
    this.#forget = connection.onDisturbed(() => {
      this.#isDisturbed = connection.isOpen;
    });
    this.headStart = new Promise((resolve) => {
      this.#timer = setTimeout(() => resolve('over'), PING_HEAD_START_MS);
    });
  }

  /** Why it cannot be used, as far as that is known. */
  get obstacle(): DiscardReason | undefined {
    if (this.#isDisturbed) return 'disturbed';
    if (!this.connection.isOpen) return 'dead';
    // A message that was begun before the turn would end in its answer.
    if (!this.connection.isReusable) return 'disturbed';
    return this.#signal.aborted ? 'aborted' : undefined;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }
}

/**
 * What waits in the socket has been read after two turns of the event loop: the first may have begun, and polled,
 * before it came.
 */
async function waitingInputIsRead(): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  return true;
}

/** By the wall clock, which may also have been set back: that is a gap as any other. */
function msSince(at: number): number {
  return Math.abs(Date.now() - at);
}
