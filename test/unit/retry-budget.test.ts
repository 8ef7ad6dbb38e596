import { expect, test } from '@jest/globals';
import { retrying } from '../../lambda/agentcore/retry.ts';
import { RetryBudget } from '../../lambda/agentcore/retry-budget.ts';
import { StreamError } from '../../lambda/errors.ts';

const taken = (budget: RetryBudget, times: number) =>
  Array.from({ length: times }, () => budget.take()).filter((isAllowed) => isAllowed).length;

test('a burst of retries is made, and none beyond it', () => {
  const budget = new RetryBudget({ burst: 10, now: () => 0 });

  expect(taken(budget, 100)).toBe(10);
});

test('what time and requests add is made later, and never more than a burst', () => {
  let now = 0;
  const budget = new RetryBudget({ burst: 10, perSecond: 5, perRequest: 0.5, now: () => now });
  taken(budget, 10);

  now = 1000;
  expect(taken(budget, 100)).toBe(5);
  for (let i = 0; i < 4; i += 1) budget.request();
  expect(taken(budget, 100)).toBe(2);
  now = 3_600_000;
  expect(taken(budget, 100)).toBe(10);
});

test('a thousand requests that are all refused ask no more than a tenth more often', async () => {
  let attempts = 0;
  const budget = new RetryBudget({ burst: 50, perSecond: 0, perRequest: 0.05 });
  const options = {
    maxRetries: 4,
    retryBaseMs: 1,
    retryMaxMs: 1,
    signal: new AbortController().signal,
    remainingMs: () => 10_000,
    budget,
  };
  const refuse = async () => {
    attempts += 1;
    throw new StreamError('AgentUnavailable', 'refused', { retry: 'backoff' });
  };

  const results = await Promise.allSettled(Array.from({ length: 1000 }, () => retrying(refuse, options)));

  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  expect(attempts).toBeGreaterThan(1000);
  expect(attempts).toBeLessThanOrEqual(1100);
});
