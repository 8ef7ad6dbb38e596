import type { Protocol } from './protocol.ts';

export interface SilenceOptions {
  protocol: Pick<Protocol, 'fillsSilence' | 'heartbeat' | 'nudge'>;
  heartbeatIntervalMs: number;
  /** Whether something on the way may hold a small write back until another write follows. @default true */
  holdsSmallWrites?: boolean | undefined;
}

/** The platform may hold a small chunk back until another write follows, so a comment follows after this time. */
const NUDGE_AFTER_MS = 50;

/** Fills the silences of an answer with comments, if its protocol has any: one after a chunk, and then a heartbeat. */
export class SilenceFiller {
  readonly #options: SilenceOptions;
  readonly #fill: (comment: string) => void;
  #lastWriteAt = 0;
  #nudge: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  /** @param fill writes a comment */
  constructor(options: SilenceOptions, fill: (comment: string) => void) {
    this.#options = options;
    this.#fill = fill;
  }

  /** To be called when the answer has begun. */
  begin(): void {
    const { protocol, heartbeatIntervalMs } = this.#options;
    if (protocol.fillsSilence) this.#beatAfter(heartbeatIntervalMs);
    this.nudgeLater();
  }

  /** To be called at each write. A chunk only notes its time and starts no timer of its own. */
  noteWrite(): void {
    this.#lastWriteAt = performance.now();
  }

  /** Sees to it that a comment follows what was written, once in each silence. */
  nudgeLater(): void {
    const { protocol, holdsSmallWrites = true } = this.#options;
    if (!protocol.fillsSilence || !holdsSmallWrites) return;
    this.#nudge ??= setTimeout(() => this.#nudgeIfQuiet(), NUDGE_AFTER_MS);
  }

  stop(): void {
    clearTimeout(this.#heartbeat);
    clearTimeout(this.#nudge);
    this.#nudge = undefined;
  }

  #nudgeIfQuiet(): void {
    const quietMs = performance.now() - this.#lastWriteAt;
    this.#nudge = undefined;
    if (hasElapsed(quietMs, NUDGE_AFTER_MS)) this.#fill(this.#options.protocol.nudge);
    else this.#nudge = setTimeout(() => this.#nudgeIfQuiet(), NUDGE_AFTER_MS - quietMs);
  }

  #beatAfter(ms: number): void {
    this.#heartbeat = setTimeout(() => {
      const { protocol, heartbeatIntervalMs } = this.#options;
      const quietMs = performance.now() - this.#lastWriteAt;
      const due = hasElapsed(quietMs, heartbeatIntervalMs);
      if (due) this.#fill(protocol.heartbeat);
      this.#beatAfter(due ? heartbeatIntervalMs : heartbeatIntervalMs - quietMs);
    }, ms);
  }
}

/** Whether a time has elapsed. Timers fire up to a millisecond early. */
function hasElapsed(elapsedMs: number, limitMs: number): boolean {
  return elapsedMs >= limitMs - 1;
}
