import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { METRIC_NAMESPACE } from '../../lambda/contract.ts';
import { InFlight, type OpenAnswer } from '../../lambda/telemetry/in-flight.ts';

const MINUTE = 60_000;

let printed: string[];
beforeEach(() => {
  jest.useFakeTimers();
  printed = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

type Line = Record<string, unknown>;
/** What was counted since the last call, without what every document has. */
const counted = () =>
  printed.splice(0).map((line) => {
    const { _aws, service: _service, ...rest } = JSON.parse(line) as Line;
    return rest;
  });
const open = (agent: string): OpenAnswer => ({ agent, startedAt: performance.now(), record: {} });

describe('answers under way', () => {
  test('are counted once a minute, with the age of the oldest, and those that wait by their agents', () => {
    const inFlight = new InFlight({ serviceName: 'mine', intervalMs: MINUTE });
    inFlight.add(open('onboarding'));
    inFlight.add({ ...open('mwc'), record: { firstChunkAt: 1 } });
    jest.advanceTimersByTime(MINUTE / 2);
    inFlight.add(open('onboarding'));

    jest.advanceTimersByTime(MINUTE / 2);
    const first = counted();
    jest.advanceTimersByTime(MINUTE);

    // The second one has waited for half a minute.
    expect(first).toEqual([
      { StreamsOpen: 3, StreamsWaiting: 1, OldestStreamAge: MINUTE },
      { agent: 'onboarding', StreamsWaiting: 1 },
    ]);
    expect(counted()).toEqual([
      { StreamsOpen: 3, StreamsWaiting: 2, OldestStreamAge: 2 * MINUTE },
      { agent: 'onboarding', StreamsWaiting: 2 },
    ]);
  });

  test('cost a bounded number of lines, however many they are', () => {
    const inFlight = new InFlight({ serviceName: 'mine', intervalMs: MINUTE });
    for (let i = 0; i < 1000; i += 1) inFlight.add(open(`agent-${i % 3}`));

    jest.advanceTimersByTime(MINUTE);

    expect(jest.getTimerCount()).toBe(1);
    expect(printed).toHaveLength(4);
  });

  test('are not counted when they are over, and leave no timer', () => {
    const inFlight = new InFlight({ serviceName: 'mine', intervalMs: MINUTE });
    const answers = [open('mwc'), open('mwc')];
    for (const answer of answers) inFlight.add(answer);

    for (const answer of answers) inFlight.delete(answer);
    jest.advanceTimersByTime(10 * MINUTE);

    expect(jest.getTimerCount()).toBe(0);
    expect(printed).toEqual([]);
  });

  test('are written as CloudWatch reads them', () => {
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/emf-schema.json'), 'utf8'));
    const isEmf = new Ajv({ strict: false }).compile(schema);
    new InFlight({ serviceName: 'mine', intervalMs: MINUTE }).add(open('mwc'));

    jest.advanceTimersByTime(MINUTE);

    const documents = printed.map((line) => JSON.parse(line));
    expect(printed.every((line) => line.endsWith('\n'))).toBe(true);
    expect(documents.map((document) => [isEmf(document), isEmf.errors])).toEqual(
      documents.map(() => [true, null]),
    );
    expect(documents[1]).toMatchObject({
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          {
            Namespace: METRIC_NAMESPACE,
            Dimensions: [['service', 'agent']],
            Metrics: [{ Name: 'StreamsWaiting', Unit: 'Count' }],
          },
        ],
      },
      service: 'mine',
      agent: 'mwc',
      StreamsWaiting: 1,
    });
  });
});
