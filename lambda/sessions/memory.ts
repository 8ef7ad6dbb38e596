import { LEASE_MS, type LogParts, type SessionState, type SessionStore } from './store.ts';

export interface MemoryStoreOptions {
  /** How long an answer can be read again. */
  ttlMs: number;
  /** The most bytes of all logs together. Beyond it the oldest answers are forgotten. @default 64 MB */
  maxBytes?: number;
  /** Returns milliseconds since the epoch. @default Date.now */
  clock?: () => number;
}

interface Row {
  requestId: string;
  leaseUntil: number;
  isStopped: boolean;
  expiresAt: number;
}

interface Log {
  parts: Uint8Array[];
  expiresAt: number;
}

/** Keeps sessions in the memory of one process: for a server that runs alone, and for tests. */
export class MemoryStore implements SessionStore {
  readonly intervalMs: number = 50;
  readonly #ttlMs: number;
  readonly #maxBytes: number;
  readonly #clock: () => number;
  readonly #rows = new Map<string, Row>();
  /** The logs of answers, in the order in which the answers began. */
  readonly #logs = new Map<string, Log>();
  #bytes = 0;

  constructor({ ttlMs, maxBytes = 64_000_000, clock = Date.now }: MemoryStoreOptions) {
    this.#ttlMs = ttlMs;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  async claim(session: string, requestId: string): Promise<string | undefined> {
    this.#forgetExpired();
    const row = this.#rows.get(session);
    if (row && this.#isRunning(row) && row.requestId !== requestId) return row.requestId;
    this.#rows.set(session, { requestId, isStopped: false, ...this.#untils() });
    return undefined;
  }

  async renew(session: string, requestId: string): Promise<SessionState | undefined> {
    const row = this.#rows.get(session);
    if (row?.requestId !== requestId) return undefined;
    Object.assign(row, this.#untils());
    return this.#stateOf(row);
  }

  async release(session: string, requestId: string): Promise<void> {
    const row = this.#rows.get(session);
    if (row?.requestId === requestId) row.leaseUntil = 0;
  }

  async read(session: string): Promise<SessionState | undefined> {
    const row = this.#rows.get(session);
    return row && row.expiresAt > this.#clock() ? this.#stateOf(row) : undefined;
  }

  async stop(session: string): Promise<boolean> {
    const row = this.#rows.get(session);
    if (!row || !this.#isRunning(row)) return false;
    row.isStopped = true;
    return true;
  }

  async append(requestId: string, part: number, log: Uint8Array): Promise<number> {
    const entry = this.#logs.get(requestId) ?? { parts: [], expiresAt: 0 };
    if (part === entry.parts.length) {
      entry.parts.push(log);
      this.#bytes += log.length;
    }
    entry.expiresAt = this.#clock() + this.#ttlMs;
    this.#logs.set(requestId, entry);
    this.#makeRoom(requestId);
    return part + 1;
  }

  async readLog(requestId: string, part: number): Promise<LogParts> {
    const parts = this.#logs.get(requestId)?.parts.slice(part) ?? [];
    return { log: Buffer.concat(parts), nextPart: part + parts.length };
  }

  #stateOf(row: Row): SessionState {
    const { requestId, isStopped } = row;
    return { requestId, isStopped, isRunning: this.#isRunning(row) };
  }

  #isRunning({ leaseUntil }: Row): boolean {
    return leaseUntil > this.#clock();
  }

  #untils(): Pick<Row, 'leaseUntil' | 'expiresAt'> {
    const now = this.#clock();
    return { leaseUntil: now + LEASE_MS, expiresAt: now + this.#ttlMs };
  }

  #forgetExpired(): void {
    const now = this.#clock();
    for (const [session, { expiresAt, leaseUntil }] of this.#rows) {
      if (expiresAt <= now && leaseUntil <= now) this.#rows.delete(session);
    }
    for (const [requestId, { expiresAt }] of this.#logs) if (expiresAt <= now) this.#forget(requestId);
  }

  /** Forgets the oldest logs until there is room. @param kept the log that is written now, which is not forgotten */
  #makeRoom(kept: string): void {
    for (const requestId of this.#logs.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      if (requestId !== kept) this.#forget(requestId);
    }
  }

  #forget(requestId: string): void {
    for (const { length } of this.#logs.get(requestId)?.parts ?? []) this.#bytes -= length;
    this.#logs.delete(requestId);
  }
}
