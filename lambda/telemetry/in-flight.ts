import { DIMENSIONS } from '../contract.ts';
import { writeMetrics } from './emf.ts';

/** A running answer. Its times are those of `performance.now()`. */
export interface OpenAnswer {
  agent: string;
  startedAt: number;
  /** The record in which the time of the first chunk is noted. */
  record: { readonly firstChunkAt?: number };
}

export interface InFlightOptions {
  serviceName: string;
  /** The time between two counts. After the same time, an answer without a chunk counts as waiting. */
  intervalMs: number;
}

/**
 * Counts the answers of this process while they run. A hanging agent is in no other metric before its time limit of
 * minutes has passed. All answers share one timer, which runs only while there are answers and keeps no process alive.
 * The metrics are written without Powertools, which is loaded only at the end of an answer.
 */
export class InFlight {
  readonly #options: InFlightOptions;
  readonly #open = new Set<OpenAnswer>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: InFlightOptions) {
    this.#options = options;
  }

  add(answer: OpenAnswer): void {
    this.#open.add(answer);
    this.#timer ??= setInterval(() => this.#count(), this.#options.intervalMs).unref();
  }

  delete(answer: OpenAnswer): void {
    this.#open.delete(answer);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #count(): void {
    const { serviceName, intervalMs } = this.#options;
    const now = performance.now();
    const waiting = new Map<string, number>();
    let oldestMs = 0;
    for (const { agent, startedAt, record } of this.#open) {
      oldestMs = Math.max(oldestMs, now - startedAt);
      if (record.firstChunkAt !== undefined || now - startedAt < intervalMs) continue;
      waiting.set(agent, (waiting.get(agent) ?? 0) + 1);
    }
    const service = { [DIMENSIONS.service]: serviceName };
    writeMetrics(service, {
      StreamsOpen: this.#open.size,
      StreamsWaiting: waiting.values().reduce((sum, count) => sum + count, 0),
      OldestStreamAge: Math.round(oldestMs),
    });
    for (const [agent, count] of waiting) {
      writeMetrics({ ...service, [DIMENSIONS.agent]: agent }, { StreamsWaiting: count });
    }
  }
}
