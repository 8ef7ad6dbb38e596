import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { DynamoDbStore } from '../../lambda/sessions/dynamodb.ts';
import { MemoryStore } from '../../lambda/sessions/memory.ts';
import { Recording } from '../../lambda/sessions/recording.ts';
import type { SessionStore } from '../../lambda/sessions/store.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/cost.md'), 'utf8');
const numbers = (pattern: RegExp) => (pattern.exec(page) ?? []).slice(1).map(Number);
const [writePrice = 0, readPrice = 0] = numbers(/\$([\d.]+) a million writes and \$([\d.]+) a million reads/);
const rows = [...page.matchAll(/^\| (\d+) s \| (\d+) writes, (\d+) reads \| ([\d.]+) \|$/gm)].map((row) =>
  row.slice(1).map(Number),
);
const { intervalMs } = new DynamoDbStore({
  tableName: 'table',
  ttlMs: 1,
  endpoint: { region: 'us-east-1', origin: new URL('http://127.0.0.1:9') },
  sign: () => Promise.reject(new Error('nothing is asked')),
});

/** A store in memory with DynamoDB's interval, and how often each of its methods is called. */
function countingStore() {
  const asked: Record<string, number> = {};
  const store = new Proxy<SessionStore>(new MemoryStore({ ttlMs: 3_600_000 }), {
    get(target, name: keyof SessionStore) {
      if (name === 'intervalMs') return intervalMs;
      const method = target[name] as ((...args: unknown[]) => unknown) | undefined;
      if (method === undefined) return undefined;
      return (...args: unknown[]) => {
        asked[name] = (asked[name] ?? 0) + 1;
        return method.apply(target, args);
      };
    },
  });
  const count = (...names: string[]) => names.reduce((sum, name) => sum + (asked[name] ?? 0), 0);
  return {
    store,
    writes: () => count('claim', 'renew', 'release', 'append'),
    reads: () => count('read', 'readLog'),
  };
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('docs/cost.md says what the table of sessions costs', () => {
  test.each(rows)('of an answer of %i s: %i writes, %i reads, %d dollars a million', async (...row) => {
    const [seconds = 0, writes = 0, reads = 0, dollars = 0] = row;
    const counting = countingStore();
    const recording = new Recording({
      store: Promise.resolve(counting.store),
      waitMs: 40,
      head: { session: 'key', sessionId: 'id', agentId: 'a', requestId: 'r', sessionReplaced: false },
      onBusy: () => {},
      onStop: () => {},
      onFailure: () => {},
    });
    await recording.admitted();
    for (let i = 0; i < seconds * 10; i += 1) {
      recording.write([{ type: 'text', text: 'token ' }]);
      await jest.advanceTimersByTimeAsync(100);
    }

    await recording.end({ type: 'ended', stats: {} });

    expect([counting.writes(), counting.reads()]).toEqual([writes, reads]);
    expect(dollars).toBe(Number((writes * writePrice + reads * readPrice).toFixed(2)));
  });

  test('by a formula that comes to the same', () => {
    const [claimAndEnd = 0, interval = 0, renewed = 0] = numbers(
      /`\((\d) \+ T ÷ ([\d.]+) \+ T ÷ ([\d.]+)\) × price of a write/,
    );

    expect(interval * 1000).toBe(intervalMs);
    expect(rows).not.toEqual([]);
    for (const [seconds = 0, writes = 0, reads = 0] of rows) {
      expect(Math.abs(claimAndEnd + seconds / interval + seconds / renewed - writes)).toBeLessThan(2);
      expect(Math.abs(seconds / interval - seconds / renewed - reads)).toBeLessThan(2);
    }
  });

  test('and what a session that is begun and left costs', () => {
    const idle =
      /of (\d+) MB that is left for (\d+) s costs \$([\d.]+) at \$([\d.]+) a GB-hour \(V1\) and \$([\d.]+) at \$([\d.]+) \(V2\)/;
    const [mb = 0, seconds = 0, v1 = 0, price1 = 0, v2 = 0, price2 = 0] = numbers(idle);
    const gbHours = (mb / 1024) * (seconds / 3600);

    expect([v1, v2]).toEqual([price1, price2].map((price) => Number((gbHours * price).toFixed(4))));
    expect(v1).toBeGreaterThan(0);
  });
});
