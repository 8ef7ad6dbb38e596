import { type StreamError, toStreamError } from '../errors.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface RetryOptions {
  maxRetries: number;
  retryBaseMs: number;
  retryMaxMs: number;
  signal: AbortSignal;
  /** Returns the milliseconds that are left. A retry that would have to wait longer is not made. */
  remainingMs: () => number;
  /** The budget of retries that all requests of the process share. @default - no limit */
  budget?: Pick<RetryBudget, 'request' | 'take'> | undefined;
  /** Called with every failure; `delayMs` is undefined when no retry follows. */
  onFailure?: (error: StreamError, delayMs: number | undefined) => void;
  /** Returns a number from 0 to 1. @default Math.random */
  random?: () => number;
}

/**
 * Repeats an attempt that failed before the prompt was handed over, if its error allows that: with exponential backoff
 * and full jitter, no sooner than the upstream asked for, or (`retry: 'once'`) once and immediately.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const {
    maxRetries,
    retryBaseMs,
    retryMaxMs,
    signal,
    remainingMs,
    random = Math.random,
    budget,
    onFailure,
  } = options;
  budget?.request();
  let retriedOnce = false;
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt();
    } catch (thrown) {
      if (signal.aborted) throw toStreamError(signal.reason);
      const error = toStreamError(thrown);
      const mayRetry = !error.promptSent && retries < maxRetries && error.retry !== undefined;
      const askedMs = error.retryAfterAsked ? error.retryAfterAsked * 1000 : 0;
      const delayMs =
        error.retry === 'once'
          ? 0
          : Math.max(askedMs, random() * Math.min(retryMaxMs, retryBaseMs * 2 ** retries));
      if (
        !mayRetry ||
        (error.retry === 'once' && retriedOnce) ||
        askedMs > retryMaxMs ||
        delayMs >= remainingMs() ||
        budget?.take() === false
      ) {
        onFailure?.(error, undefined);
        throw error;
      }
      retriedOnce ||= error.retry === 'once';
      onFailure?.(error, delayMs);
      if (delayMs > 0) await sleep(delayMs, signal);
    }
  }
}

/** @throws the signal's reason */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
