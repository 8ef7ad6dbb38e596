import { whenWaitingInputIsRead } from '../agentcore/waiting-input.ts';
import type { ContentEvent } from '../events.ts';
import { within } from '../within.ts';
import { type AnswerHead, type RecordedEnd, writeEntry } from './answer-log.ts';
import { RENEW_AFTER_MS, type SessionStore } from './store.ts';

export interface RecordingOptions {
  store: Promise<SessionStore>;
  /** How long a prompt waits for the store when everything else is ready. */
  waitMs: number;
  head: AnswerHead;
  /** Called when another answer of the session runs, so that the prompt must not be sent. */
  onBusy: (requestId: string) => void;
  /** Called when a caller stops the answer. */
  onStop: () => void;
  /** Called once, with the first failure of the store. */
  onFailure: (error: unknown) => void;
}

/** A store that fails for longer than this is given up, and the answer goes on without it. */
const GIVE_UP_AFTER_MS = 10_000;
const MAX_WAITING_CHARACTERS = 4_000_000;

/**
 * One answer on its way into the store. It takes the session, writes the events in batches and checks whether a caller
 * stops the answer. It never throws and never blocks, because a failure here must not cost the caller the answer.
 */
export class Recording {
  readonly #options: RecordingOptions;
  readonly #claimed: Promise<void>;
  #store: SessionStore | undefined;
  #phase: 'claiming' | 'running' | 'ending' | 'over' = 'claiming';
  /** Whether the session is taken for this answer. */
  #isHolder = false;
  #isGivenUp = false;
  /** Whether the prompt was sent before the store answered. */
  #isLate = false;
  #lines: string[];
  #waiting = 0;
  /** The bytes that are written now. They are written again, unchanged, until the store takes them. */
  #batch: Buffer | undefined;
  #part = 0;
  #renewedAt = Date.now();
  #failingSince: number | undefined;
  #hasFailed = false;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;

  constructor(options: RecordingOptions) {
    this.#options = options;
    this.#lines = [writeEntry({ type: 'head', head: options.head })];
    this.#claimed = this.#claim();
  }

  /** Whether the store has failed at any time. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Settles when the store has answered whether the prompt may be sent, or when its answer takes too long. */
  async admitted(): Promise<void> {
    await within(this.#claimed, this.#options.waitMs);
    // If this process was busy for the whole wait, the store's answer may have arrived but lie unread.
    if (this.#phase === 'claiming') await new Promise<void>(whenWaitingInputIsRead);
    if (this.#phase === 'claiming') this.#isLate = true;
  }

  write(events: readonly ContentEvent[]): void {
    if (this.#phase === 'over') return;
    for (const event of events) {
      const line = writeEntry(event);
      this.#lines.push(line);
      this.#waiting += line.length;
    }
    if (this.#waiting > MAX_WAITING_CHARACTERS)
      this.#giveUp(new Error('the store is slower than the answer'));
  }

  /** Writes the remaining events and the end, and frees the session. Settles when this is done or has failed. */
  async end(end: RecordedEnd): Promise<void> {
    await this.#claimed;
    clearTimeout(this.#timer);
    if (!this.#isHolder) return;
    await this.#turn;
    const { session, requestId } = this.#options.head;
    const isWritten = this.#phase === 'running';
    if (isWritten) {
      this.#phase = 'ending';
      this.#lines.push(writeEntry(end));
    }
    try {
      await Promise.all([isWritten && this.#flush(), this.#store?.release(session, requestId)]);
    } catch (error) {
      this.#failed(error);
    }
    this.#phase = 'over';
  }

  /** Gives the store up if it has not taken everything, because nothing waits for it any longer. */
  leave(): void {
    if (this.#phase !== 'over') this.#giveUp(new Error('the store did not answer in time'));
  }

  async #claim(): Promise<void> {
    const { store, head, onBusy } = this.#options;
    try {
      this.#store = await store;
      const busyWith = await this.#store.claim(head.session, head.requestId);
      if (this.#isGivenUp) {
        // This answer goes on without the store and no longer needs the session, so the next answer may take it.
        if (busyWith === undefined) await this.#store.release(head.session, head.requestId);
      } else if (busyWith === undefined) {
        this.#phase = 'running';
        this.#isHolder = true;
        this.#renewedAt = Date.now();
        this.#turnLater(this.#store.intervalMs);
      } else if (this.#isLate) {
        this.#giveUp(new Error('another answer runs, and the store said so only after the prompt was sent'));
      } else {
        this.#phase = 'over';
        onBusy(busyWith);
      }
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #turnLater(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#turn = this.#takeTurn();
    }, ms);
  }

  /** Writes the new events, and at the same time reads the session or renews its lease. */
  async #takeTurn(): Promise<void> {
    const store = this.#store as SessionStore;
    const startedAt = Date.now();
    const { session, requestId } = this.#options.head;
    const isDue = startedAt - this.#renewedAt >= RENEW_AFTER_MS;
    try {
      const reading = isDue ? store.renew(session, requestId) : store.read(session);
      const [state] = await Promise.all([reading, this.#flush()]);
      if (state?.requestId !== requestId) {
        return this.#giveUp(new Error('the session was taken by another answer'));
      }
      if (isDue) this.#renewedAt = startedAt;
      if (state.isStopped) this.#options.onStop();
      this.#failingSince = undefined;
    } catch (error) {
      this.#failed(error);
      this.#failingSince ??= startedAt;
      if (Date.now() - this.#failingSince > GIVE_UP_AFTER_MS) this.#giveUp(error);
    }
    if (this.#phase === 'running') {
      this.#turnLater(Math.max(0, startedAt + store.intervalMs - Date.now()));
    }
  }

  async #flush(): Promise<void> {
    while (this.#batch !== undefined || this.#lines.length > 0) {
      this.#batch ??= this.#takeLines();
      this.#part = (await this.#store?.append(this.#options.head.requestId, this.#part, this.#batch)) ?? 0;
      this.#batch = undefined;
      // Events that arrived meanwhile wait for the next turn, unless the answer is ending.
      if (this.#phase !== 'ending') return;
    }
  }

  #takeLines(): Buffer {
    const batch = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#waiting = 0;
    return batch;
  }

  #giveUp(error: unknown): void {
    this.#isGivenUp = true;
    this.#phase = 'over';
    clearTimeout(this.#timer);
    this.#lines = [];
    this.#failed(error);
  }

  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.onFailure(error);
  }
}
