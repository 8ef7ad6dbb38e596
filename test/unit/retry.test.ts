import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type RetryOptions, retrying } from '../../lambda/agentcore/retry.ts';
import type { ErrorCode } from '../../lambda/contract.ts';
import { StreamError, type StreamErrorOptions } from '../../lambda/errors.ts';

let abort: AbortController;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  abort = new AbortController();
});

afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  jest.useRealTimers();
});

const unavailable = (options: StreamErrorOptions = {}, code: ErrorCode = 'AgentUnavailable') =>
  new StreamError(code, 'x', { retry: 'backoff', ...options });

/** Runs an attempt that fails with these errors in turn (the last one again and again), or succeeds after them. */
function run(errors: readonly unknown[], options: Partial<RetryOptions> & { thenSucceeds?: boolean } = {}) {
  const { thenSucceeds = false, ...overrides } = options;
  const attemptedAt: number[] = [];
  const failures: [code: string, delayMs: number | undefined][] = [];
  const attempt = async () => {
    const n = attemptedAt.push(performance.now()) - 1;
    if (thenSucceeds && n >= errors.length) return 'connected';
    throw errors[Math.min(n, errors.length - 1)];
  };
  const result = retrying(attempt, {
    maxRetries: 4,
    retryBaseMs: 500,
    retryMaxMs: 8000,
    signal: abort.signal,
    remainingMs: () => 1_000_000 - performance.now(),
    onFailure: (error, delayMs) => failures.push([error.code, delayMs]),
    random: () => 1,
    ...overrides,
  });
  const settled = result.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return { attemptedAt, failures, settled };
}

test('a success needs one attempt', async () => {
  const { attemptedAt, failures, settled } = run([], { thenSucceeds: true });

  expect(await settled).toEqual({ value: 'connected' });
  expect(attemptedAt).toEqual([0]);
  expect(failures).toEqual([]);
});

test('a failure that passes is overcome', async () => {
  const { attemptedAt, failures, settled } = run([unavailable(), unavailable()], { thenSucceeds: true });

  await jest.runAllTimersAsync();

  expect(await settled).toEqual({ value: 'connected' });
  expect(attemptedAt).toEqual([0, 500, 1500]);
  expect(failures).toEqual([
    ['AgentUnavailable', 500],
    ['AgentUnavailable', 1000],
  ]);
});

describe('backoff', () => {
  test('grows from the base to the maximum, then the last error is thrown and reported as final', async () => {
    const error = unavailable();
    const { attemptedAt, failures, settled } = run([error], { maxRetries: 6 });

    await jest.runAllTimersAsync();

    expect(await settled).toEqual({ error });
    const delays = attemptedAt.slice(1).map((at, i) => at - (attemptedAt[i] ?? 0));
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 8000]);
    expect(failures.map(([, delayMs]) => delayMs)).toEqual([...delays, undefined]);
  });

  test.each([
    [0, [0, 0, 0, 0]],
    [0.5, [250, 500, 1000, 2000]],
    [0.999, [499.5, 999, 1998, 3996]],
  ])('has full jitter: a random %f gives %j', async (random, delays) => {
    const { failures, settled } = run([unavailable()], { random: () => random });

    await jest.runAllTimersAsync();
    await settled;

    expect(failures.map(([, delayMs]) => delayMs)).toEqual([...delays, undefined]);
  });

  test('by default the random source is Math.random, within the bounds', async () => {
    const { failures, settled } = run([unavailable()], { random: Math.random });

    await jest.runAllTimersAsync();
    await settled;

    failures.slice(0, 4).forEach(([, delayMs], i) => {
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(500 * 2 ** i);
    });
  });

  test.each([0, 1, 2])('MAX_RETRIES of %i means one attempt more', async (maxRetries) => {
    const { attemptedAt, settled } = run([unavailable()], { maxRetries });

    await jest.runAllTimersAsync();
    await settled;

    expect(attemptedAt).toHaveLength(maxRetries + 1);
  });
});

describe('what the upstream asked for', () => {
  test('is waited for, when it is longer than the jitter', async () => {
    const { attemptedAt, settled } = run([unavailable({ retryAfterSeconds: 3 })], {
      thenSucceeds: true,
      random: () => 0.1,
    });

    await jest.runAllTimersAsync();
    await settled;

    expect(attemptedAt).toEqual([0, 3000]);
  });

  test('is no upper bound', async () => {
    const { attemptedAt, settled } = run([unavailable({ retryAfterSeconds: 1 })], { retryBaseMs: 4000 });

    await jest.runAllTimersAsync();
    await settled;

    expect(attemptedAt[1]).toBe(4000);
  });

  test('is left to the caller, when it is longer than we ever wait', async () => {
    const error = unavailable({ retryAfterSeconds: 60 });
    const { attemptedAt, settled } = run([error]);

    expect(await settled).toEqual({ error });
    expect(attemptedAt).toEqual([0]);
    expect(error.retryAfterSeconds).toBe(60);
  });
});

describe('what is not repeated', () => {
  test.each<[string, unknown]>([
    ['an error that does not say so', new StreamError('AgentUnavailable', 'x')],
    ['an error of the caller', new StreamError('BadRequest', 'x')],
    ['a failed agent', new StreamError('AgentFailed', 'x')],
    ['a refused credential', new StreamError('Unauthenticated', 'x')],
    ['anything with the prompt handed over', Object.assign(unavailable(), { promptSent: true })],
    ['a bug', new TypeError('x')],
  ])('%s', async (_what, error) => {
    const { attemptedAt, failures, settled } = run([error]);

    const result = await settled;

    expect(attemptedAt).toEqual([0]);
    expect(failures).toEqual([[expect.any(String), undefined]]);
    expect(result).toMatchObject({ error: expect.any(StreamError) });
  });

  test('a bug comes out as Internal', async () => {
    expect(await run([new TypeError('x')]).settled).toMatchObject({ error: { code: 'Internal' } });
  });
});

describe('once', () => {
  const connectTimeout = () => new StreamError('AgentTimeout', 'x', { retry: 'once' });

  test('is repeated at once, a single time', async () => {
    const error = connectTimeout();
    const { attemptedAt, failures, settled } = run([error]);

    expect(await settled).toEqual({ error });
    expect(attemptedAt).toEqual([0, 0]);
    expect(failures).toEqual([
      ['AgentTimeout', 0],
      ['AgentTimeout', undefined],
    ]);
  });

  test('does not spend the backoff of another failure, but counts as a retry', async () => {
    const { attemptedAt, settled } = run([unavailable(), connectTimeout(), unavailable()], {
      thenSucceeds: true,
    });

    await jest.runAllTimersAsync();

    expect(await settled).toEqual({ value: 'connected' });
    expect(attemptedAt).toHaveLength(4);
  });

  test('stays once when other failures lie between', async () => {
    const { attemptedAt, settled } = run([connectTimeout(), unavailable(), connectTimeout()]);

    await jest.runAllTimersAsync();

    expect(await settled).toMatchObject({ error: { code: 'AgentTimeout' } });
    expect(attemptedAt).toHaveLength(3);
  });

  test('is not repeated without retries', async () => {
    const { attemptedAt, settled } = run([connectTimeout()], { maxRetries: 0 });

    await settled;

    expect(attemptedAt).toEqual([0]);
  });
});

describe('the deadline', () => {
  test.each<[string, number, number[]]>([
    ['a wait that ends after it is not begun', 400, [0]],
    ['a wait that ends with it is not begun', 500, [0]],
    ['a wait that ends before it is', 501, [0, 500]],
    ['the sum of the waits counts', 1400, [0, 500]],
  ])('%s', async (_title, deadlineMs, attempts) => {
    const { attemptedAt, settled } = run([unavailable()], {
      remainingMs: () => deadlineMs - performance.now(),
    });

    await jest.runAllTimersAsync();

    expect(await settled).toMatchObject({ error: { code: 'AgentUnavailable' } });
    expect(attemptedAt).toEqual(attempts);
  });

  test('once it has passed nothing is repeated, not even at once', async () => {
    const { attemptedAt, settled } = run([new StreamError('AgentTimeout', 'x', { retry: 'once' })], {
      remainingMs: () => 0,
    });

    await settled;

    expect(attemptedAt).toEqual([0]);
  });
});

describe('an abort', () => {
  const reason = new StreamError('AgentTimeout', 'the answer exceeded its time limit');

  test('during the wait ends it at once with the reason', async () => {
    const { attemptedAt, settled } = run([unavailable()]);

    await jest.advanceTimersByTimeAsync(100);
    abort.abort(reason);

    expect(await settled).toEqual({ error: reason });
    expect(attemptedAt).toEqual([0]);
  });

  test('during an attempt wins over the error of the attempt', async () => {
    const result = retrying(
      async () => {
        abort.abort(reason);
        throw unavailable();
      },
      {
        maxRetries: 4,
        retryBaseMs: 500,
        retryMaxMs: 8000,
        signal: abort.signal,
        remainingMs: () => 1000,
      },
    );

    await expect(result).rejects.toBe(reason);
  });

  test('by whoever hears of the failure is not slept through', async () => {
    const { settled } = run([unavailable()], { onFailure: () => abort.abort(reason) });
    let result: unknown;
    settled.then((value) => {
      result = value;
    });

    await jest.advanceTimersByTimeAsync(0);

    expect(result).toEqual({ error: reason });
  });
});
