/**
 * Where sessions and the events of their answers are kept for whoever comes back. A further store is one such object
 * in a file of its own and one line in `open-store.ts`. Every method rejects when the store does not work.
 */
export interface SessionStore {
  /** How often a running answer is written and a reader of it looks for more, in milliseconds. */
  readonly intervalMs: number;
  /**
   * Takes the session for one answer, in one step, so that of any number of callers one succeeds.
   *
   * @returns undefined where it was taken; else the request id of the answer that runs
   */
  claim(session: string, requestId: string): Promise<string | undefined>;
  /**
   * Holds the session for another {@link LEASE_MS}.
   *
   * @returns undefined where the session belongs to another answer by now
   */
  renew(session: string, requestId: string): Promise<SessionState | undefined>;
  /** Lets the next answer begin; of a session that belongs to another answer it changes nothing. */
  release(session: string, requestId: string): Promise<void>;
  /** Undefined where nothing of the session is kept. */
  read(session: string): Promise<SessionState | undefined>;
  /** Asks the running answer to stop; false where none runs. */
  stop(session: string): Promise<boolean>;
  /**
   * Keeps the next bytes of an answer's log. Repeated with the same arguments it changes nothing.
   *
   * @param part number of the bytes' first part; 0 at the beginning
   * @returns the number of the part that comes next
   */
  append(requestId: string, part: number, log: Uint8Array): Promise<number>;
  /** The log from a part on, as far as it is there without a gap. */
  readLog(requestId: string, part: number): Promise<LogParts>;
}

/** One session, as its last answer left it. */
export interface SessionState {
  /** Of the running answer, else of the last one. */
  requestId: string;
  isRunning: boolean;
  /** Somebody wants the running answer stopped. */
  isStopped: boolean;
}

export interface LogParts {
  log: Uint8Array;
  /** Where to read on. */
  nextPart: number;
}

/** How long a session stays taken when the process that took it gives no sign of life. */
export const LEASE_MS = 15_000;

/** How often a running answer renews its lease. */
export const RENEW_AFTER_MS = 5000;
