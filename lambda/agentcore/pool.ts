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

export type DiscardReason = 'idle' | 'age' | 'full' | 'dead' | 'disturbed' | 'slow';

/** After so long without a pong a new handshake starts beside the ping. */
const PING_HEAD_START_MS = 50;

interface Idle {
  connection: Connection;
  forget: () => void;
}

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

  /** Keeps a connection, unless reuse is off. */
  release(key: string, connection: Connection): void {
    const { maxConnections, pingIntervalMs } = this.#options;
    if (maxConnections === 0) return connection.close();
    if (!connection.isOpen) return;
    // A second connection of the session that ran at the same time.
    this.#discard(key, 'full');
    if (this.#idle.size >= maxConnections) {
      const [oldest] = this.#idle.keys();
      if (oldest !== undefined) this.#discard(oldest, 'full');
    }
    const forget = connection.onDisturbed(() => this.#discard(key, connection.isOpen ? 'disturbed' : 'dead'));
    this.#idle.set(key, { connection, forget });
    this.#sweeper ??= setInterval(() => this.#sweep(), pingIntervalMs).unref();
  }

  /**
   * The session's kept connection if it lives, else a new one.
   *
   * @param open opens one; the signal is aborted when the kept connection answers first
   */
  async acquire(
    key: string,
    open: (signal: AbortSignal) => Promise<Connection>,
    signal: AbortSignal,
  ): Promise<{ connection: Connection; reused: boolean }> {
    const kept = this.#take(key);
    if (!kept) return { connection: await open(signal), reused: false };
    // A message that came after the end may lie unread; the next turn would take it for its own.
    let disturbed = false;
    const forget = kept.onDisturbed(() => {
      disturbed = true;
    });
    const headStart = Promise.withResolvers<undefined>();
    let timer: NodeJS.Timeout | undefined;
    try {
      if (Date.now() - kept.lastUsedAt <= this.#options.pingIntervalMs) {
        // What was waiting has been read after one turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
        if (!disturbed) return { connection: kept, reused: true };
      } else {
        const pong = kept.ping(this.#options.pongTimeoutMs).then((alive) => alive && !disturbed);
        timer = setTimeout(() => headStart.resolve(undefined), PING_HEAD_START_MS);
        const early = await Promise.race([pong, headStart.promise]);
        if (early === true) return { connection: kept, reused: true };
        if (early === undefined && !disturbed) return await this.#pongOrOpen(kept, pong, open, signal);
      }
    } finally {
      clearTimeout(timer);
      forget();
    }
    this.#drop(kept, kept.isOpen && disturbed ? 'disturbed' : 'dead');
    return { connection: await open(signal), reused: false };
  }

  /** Takes whichever comes first, the pong or the new connection, and closes the other. */
  async #pongOrOpen(
    kept: Connection,
    pong: Promise<boolean>,
    open: (signal: AbortSignal) => Promise<Connection>,
    signal: AbortSignal,
  ): Promise<{ connection: Connection; reused: boolean }> {
    const abandon = new AbortController();
    const opening = open(AbortSignal.any([signal, abandon.signal]));
    const alive = await Promise.race([pong, opening.then(() => undefined)]).catch(() => pong);
    if (alive === true) {
      abandon.abort(new Error('the kept connection answered'));
      opening.then((connection) => connection.close()).catch(() => {});
      return { connection: kept, reused: true };
    }
    this.#drop(kept, alive === false ? 'dead' : 'slow');
    return { connection: await opening, reused: false };
  }

  /** Closes every kept connection. */
  close(): void {
    for (const key of [...this.#idle.keys()]) this.#discard(key, 'idle');
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
    const now = Date.now();
    if (!isOpen) return 'dead';
    if (now - lastUsedAt > this.#options.maxIdleMs) return 'idle';
    return now - openedAt > this.#options.maxAgeMs ? 'age' : undefined;
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
