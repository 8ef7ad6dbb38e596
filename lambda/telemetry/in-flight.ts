import { DIMENSIONS, METRICS, type MetricName } from '../contract.ts';
import { writeEmf } from './emf.ts';

/** An answer under way. Times are by `performance.now()`. */
export interface OpenAnswer {
  agent: string;
  startedAt: number;
  /** Where its first chunk is noted when it comes. */
  record: { readonly firstChunkAt?: number };
}

export interface InFlightOptions {
  serviceName: string;
  /** Between two counts; also from when on an answer without a chunk counts as waiting. */
  intervalMs: number;
}

/**
 * Counts the answers of this process while they are under way: a hanging agent is in no other metric before its limit
 * of minutes has passed. One timer for all of them, which runs as long as there are any and keeps no process alive; it
 * writes EMF by itself, as Powertools is loaded at the end of an answer only.
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

/** Each in the unit that the contract says. */
function writeMetrics(
  dimensions: Readonly<Record<string, string>>,
  values: Partial<Record<MetricName, number>>,
): void {
  const measured = Object.entries(values).map(([name, value]) => [
    name,
    { unit: METRICS[name as MetricName].unit, value },
  ]);
  writeEmf(dimensions, Object.fromEntries(measured));
}
