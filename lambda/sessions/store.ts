/**
 * The store of sessions and of their answers' events, for readers that come back. A further store is one such object in
 * its own file and one line in `open-store.ts`. Every method rejects when the store does not work.
 */
export interface SessionStore {
  /** The milliseconds between two writes of a running answer, and between two reads by a follower of it. */
  readonly intervalMs: number;
  /**
   * Takes the session for one answer. The step is atomic: among any number of callers only one succeeds.
   *
   * @returns undefined when the session was taken, otherwise the request id of the answer that runs
   */
  claim(session: string, requestId: string): Promise<string | undefined>;
  /**
   * Holds the session for another {@link LEASE_MS}.
   *
   * @returns undefined when the session belongs to another answer by now
   */
  renew(session: string, requestId: string): Promise<SessionState | undefined>;
  /** Frees the session for the next answer. It changes nothing if the session belongs to another answer. */
  release(session: string, requestId: string): Promise<void>;
  /** Returns the state of the session; undefined if nothing of it is kept. */
  read(session: string): Promise<SessionState | undefined>;
  /** Asks the running answer to stop. Returns false if no answer runs. */
  stop(session: string): Promise<boolean>;
  /**
   * Keeps the next bytes of an answer's log. A repetition with the same arguments changes nothing.
   *
   * @param part the number of the part that begins with the first byte; 0 at the beginning of the log
   * @returns the number of the next part
   */
  append(requestId: string, part: number, log: Uint8Array): Promise<number>;
  /** Returns the log from a part on, up to the first gap. */
  readLog(requestId: string, part: number): Promise<LogParts>;
}

/** The state of one session after its last answer. */
export interface SessionState {
  /** The request id of the running answer, or of the last one if none runs. */
  requestId: string;
  isRunning: boolean;
  /** Whether a caller asked the running answer to stop. */
  isStopped: boolean;
}

export interface LogParts {
  log: Uint8Array;
  /** The number of the part to read next. */
  nextPart: number;
}

/** How long a session stays taken after the last sign of life of the process that took it. */
export const LEASE_MS = 15_000;

/** How often a running answer renews its lease. */
export const RENEW_AFTER_MS = 5000;
