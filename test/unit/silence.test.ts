import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type SilenceWatch, watchSilence } from '../../lambda/agentcore/silence.ts';
import type { StreamError } from '../../lambda/errors.ts';

let timeouts: { at: number; error: StreamError }[];
let noEndMarkers: number[];
let watch: SilenceWatch;
/** What the event loop reads from the sockets when it gets to them. */
let poll: () => void;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  poll = () => {};
  // Fake timers would make a millisecond of it.
  jest.spyOn(globalThis, 'setImmediate').mockImplementation((then: () => void) => {
    poll();
    then();
    return undefined as unknown as NodeJS.Immediate;
  });
  timeouts = [];
  noEndMarkers = [];
});

afterEach(() => {
  watch.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.restoreAllMocks();
  jest.useRealTimers();
});

function start(firstChunkTimeoutMs: number, idleTimeoutMs: number): void {
  watch = watchSilence({
    firstChunkTimeoutMs,
    idleTimeoutMs,
    onTimeout: (error) => timeouts.push({ at: performance.now(), error }),
    onNoEndMarker: () => noEndMarkers.push(performance.now()),
  });
}

/** Lets the agent say something at these times. */
function hear(times: readonly number[], hasText: boolean): void {
  for (const at of times) {
    jest.advanceTimersByTime(at - performance.now());
    watch.heard();
    if (hasText) watch.heardAnswer();
  }
}

const timedOutAt = () => timeouts.map(({ at }) => at);

describe('before the first text', () => {
  test('the limit is the one for the first chunk, and it is reported once', () => {
    start(1000, 50);

    jest.advanceTimersByTime(999);
    expect(timeouts).toEqual([]);
    jest.advanceTimersByTime(100_000);

    expect(timedOutAt()).toEqual([1000]);
    expect(timeouts[0]?.error).toMatchObject({ code: 'AgentTimeout', retry: undefined });
  });

  test('messages without text do not count', () => {
    start(1000, 50);

    hear([100, 200, 900, 999], false);
    jest.advanceTimersByTime(1);

    expect(timedOutAt()).toEqual([1000]);
  });

  test('no end marker is missed', () => {
    start(300_000, 300_000);

    hear([10_000], false);
    jest.advanceTimersByTime(100_000);

    expect(noEndMarkers).toEqual([]);
  });
});

describe('after the first text', () => {
  test('the limit is the idle one, shorter or longer', () => {
    start(1000, 200);
    hear([900], true);
    jest.advanceTimersByTime(10_000);
    expect(timedOutAt()).toEqual([1100]);

    timeouts = [];
    watch.stop();
    start(1000, 5000);
    const from = performance.now();
    watch.heard();
    watch.heardAnswer();
    jest.advanceTimersByTime(20_000);
    expect(timedOutAt()).toEqual([from + 5000]);
  });

  test('every message counts, with text or without', () => {
    start(1000, 200);

    hear([100], true);
    hear([250, 400, 550], false);
    hear([700], true);
    jest.advanceTimersByTime(10_000);

    expect(timedOutAt()).toEqual([900]);
  });

  test('an agent that keeps talking is never timed out', () => {
    start(1000, 200);

    hear(
      Array.from({ length: 500 }, (_, i) => i * 199),
      true,
    );

    expect(timeouts).toEqual([]);
  });

  test('the limit is told in the message', () => {
    start(1000, 200);

    hear([0], true);
    jest.advanceTimersByTime(200);

    expect(timeouts[0]?.error.message).toBe('the agent sent nothing for 0.2 s');
  });
});

describe('a reader that is waited for', () => {
  test('stops the clock, which starts anew when it has caught up', async () => {
    start(1000, 200);
    hear([0], true);
    const pause = Promise.withResolvers<void>();

    const suspended = watch.suspendedDuring(pause.promise);
    jest.advanceTimersByTime(60_050);
    pause.resolve();
    await suspended;
    jest.advanceTimersByTime(199);
    expect(timeouts).toEqual([]);
    jest.advanceTimersByTime(1);

    expect(timedOutAt()).toEqual([60_250]);
    expect(noEndMarkers).toEqual([]);
  });

  test('a wait that fails is passed on', async () => {
    start(1000, 200);

    await expect(watch.suspendedDuring(Promise.reject(new Error('aborted')))).rejects.toThrow('aborted');
  });
});

describe('a process that stood still, in which timers run before the sockets are read,', () => {
  test('hears what had come meanwhile before it judges', () => {
    start(1000, 500);
    hear([100], true);
    poll = () => watch.heard();

    jest.advanceTimersByTime(500);
    poll = () => {};
    jest.advanceTimersByTime(499);

    expect(timeouts).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(timedOutAt()).toEqual([1100]);
  });

  test('hears the first text that had come meanwhile', () => {
    start(1000, 500);
    poll = () => watch.heardAnswer();

    jest.advanceTimersByTime(1000);
    poll = () => {};
    jest.advanceTimersByTime(500);

    expect(timedOutAt()).toEqual([1500]);
  });

  test('misses no end marker where the end had come meanwhile', () => {
    start(1000, 60_000);
    hear([0], true);
    poll = () => watch.stop();

    jest.advanceTimersByTime(100_000);

    expect([timeouts, noEndMarkers]).toEqual([[], []]);
  });
});

describe('NoEndMarker', () => {
  test('is reported after 30 s of silence after text, once', () => {
    start(300_000, 300_000);

    hear([1000], true);
    jest.advanceTimersByTime(29_999);
    expect(noEndMarkers).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(noEndMarkers).toEqual([31_000]);
    hear([100_000], true);
    jest.advanceTimersByTime(200_000);

    expect(noEndMarkers).toEqual([31_000]);
    expect(timeouts).toEqual([]);
  });

  test('is counted from the last message, not from the first', () => {
    start(300_000, 300_000);

    hear([0, 20_000, 40_000], true);
    jest.advanceTimersByTime(40_000);

    expect(noEndMarkers).toEqual([70_000]);
  });

  test('the idle timeout comes all the same', () => {
    start(300_000, 60_000);

    hear([0], true);
    jest.advanceTimersByTime(100_000);

    expect(noEndMarkers).toEqual([30_000]);
    expect(timedOutAt()).toEqual([60_000]);
  });

  test('a shorter idle timeout makes it superfluous', () => {
    start(300_000, 10_000);

    hear([0], true);
    jest.advanceTimersByTime(100_000);

    expect(noEndMarkers).toEqual([]);
    expect(timedOutAt()).toEqual([10_000]);
  });

  test('nobody needs to listen', () => {
    watch = watchSilence({
      firstChunkTimeoutMs: 300_000,
      idleTimeoutMs: 60_000,
      onTimeout: (error) => timeouts.push({ at: performance.now(), error }),
    });

    hear([0], true);
    jest.advanceTimersByTime(100_000);

    expect(timedOutAt()).toEqual([60_000]);
  });
});

test('what has been stopped reports nothing', () => {
  start(1000, 200);
  hear([0], true);

  watch.stop();
  jest.advanceTimersByTime(100_000);

  expect(timeouts).toEqual([]);
  expect(noEndMarkers).toEqual([]);
});
