export interface RetryBudgetOptions {
  /** Retries that may come at once. @default 100 */
  burst?: number;
  /** Retries a second, whatever comes. @default 5 */
  perSecond?: number;
  /** Retries that each request adds. @default 0.2 */
  perRequest?: number;
  /** Milliseconds. @default performance.now */
  now?: () => number;
}

/**
 * How often all requests of a process together may try again. Each has its own limit and its jitter; a thousand of them
 * that are refused at once would still ask five times as much of a service that is down.
 *
 * @see https://sre.google/sre-book/addressing-cascading-failures/ "Retries", on a budget per process
 */
export class RetryBudget {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #perRequest: number;
  readonly #now: () => number;
  #left: number;
  #filledAt: number;

  constructor({
    burst = 100,
    perSecond = 5,
    perRequest = 0.2,
    now = () => performance.now(),
  }: RetryBudgetOptions = {}) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#perRequest = perRequest;
    this.#now = now;
    this.#left = burst;
    this.#filledAt = now();
  }

  /** Notes a request. */
  request(): void {
    this.#add(this.#perRequest);
  }

  /** Whether one more retry may be made; it is counted then. */
  take(): boolean {
    const now = this.#now();
    this.#add(((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  #add(retries: number): void {
    this.#left = Math.min(this.#burst, this.#left + retries);
  }
}
