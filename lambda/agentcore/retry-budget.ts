export interface RetryBudgetOptions {
  /** The most retries at once. @default 100 */
  burst?: number;
  /** The retries that each second adds. @default 5 */
  perSecond?: number;
  /** The retries that each request adds. @default 0.2 */
  perRequest?: number;
  /** Returns milliseconds. @default performance.now */
  now?: () => number;
}

/**
 * Limits the retries of all requests of a process together. Each request has its own limit and jitter, but a thousand
 * requests that are refused at once would still send five times as many requests to a service that is down.
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

  /** Counts a request. */
  request(): void {
    this.#add(this.#perRequest);
  }

  /** Returns whether one more retry may be made, and counts it. */
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
