import { describe, expect, jest, test } from '@jest/globals';
import type { AnswerContext } from '../../lambda/answer/protocol.ts';
import type { Relay } from '../../lambda/answer/relay.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';
import { comments, interrupted, startRelay, stream, text, useRelay } from '../fixtures/relay.ts';

useRelay();

describe('heartbeats', () => {
  test.each([1000, 15_000])('come after exactly %i ms of silence, again and again', (heartbeatIntervalMs) => {
    const relay = startRelay(native, { commitAfterMs: 0, heartbeatIntervalMs });

    jest.advanceTimersByTime(heartbeatIntervalMs * 3 + heartbeatIntervalMs / 2);

    // The start of the answer may stick as well as a chunk, and is nudged.
    expect(comments()).toEqual([
      { at: 50, text: ':\n' },
      ...[1, 2, 3].map((n) => ({ at: 50 + n * heartbeatIntervalMs, text: ': keep-alive\n' })),
    ]);
    relay.done();
  });

  test('none comes before the commit point', () => {
    const relay = startRelay(native, { commitAfterMs: 25_000, heartbeatIntervalMs: 1000 });

    jest.advanceTimersByTime(24_999);

    expect(stream.writes).toEqual([]);
    relay.done();
  });

  test.each([
    ['now and then', [0, 4000, 21_000, 21_010, 47_000]],
    ['every 14 s', [0, 14_000, 28_000, 42_000, 56_000]],
    ['every 16 s', [0, 16_000, 32_000, 48_000, 64_000]],
    ['in one burst', [0, 1, 2, 3, 4]],
  ])('fill the gaps of text that comes %s, and nothing but the gaps', (_how, times) => {
    const relay = startRelay(native, { commitAfterMs: 0 });

    for (const at of times) {
      jest.advanceTimersByTime(at - performance.now());
      relay.write([text('x')]);
    }
    jest.advanceTimersByTime(40_000);

    const gaps = stream.writes.map(({ at, text }, i) => ({
      text,
      gap: at - (stream.writes[i - 1]?.at ?? 0),
    }));
    for (const { text, gap } of gaps) {
      expect(gap).toBeLessThanOrEqual(15_000);
      if (text === ': keep-alive\n') expect(gap).toBeGreaterThanOrEqual(14_999);
    }
    expect(gaps.map(({ text }) => text)).toContain(': keep-alive\n');
    relay.done();
  });

  test('none is written while the reader is behind; they go on when it has caught up', () => {
    stream.capacity = 1;
    const relay = startRelay(native, { commitAfterMs: 0, heartbeatIntervalMs: 1000 });

    jest.advanceTimersByTime(5500);
    expect(comments()).toEqual([]);
    stream.capacity = 100;
    stream.drain();
    jest.advanceTimersByTime(1000);

    expect(comments()).toHaveLength(1);
    relay.done();
  });

  test('JSON has none', () => {
    const relay = startRelay(json);

    relay.write([text('a')]);
    jest.advanceTimersByTime(120_000);
    relay.done();

    expect(JSON.parse(stream.body)).toMatchObject({ response: 'a' });
    expect(stream.writes).toHaveLength(3);
  });
});

describe('the nudge', () => {
  const nudges = () => comments().filter(({ text }) => text === ':\n');

  test('comes once, 50 ms after a chunk that nothing follows', () => {
    const relay = startRelay(native);

    relay.write([text('a')]);
    jest.advanceTimersByTime(10_000);

    expect(nudges()).toEqual([{ at: 50, text: ':\n' }]);
    relay.done();
  });

  test('comes after the last chunk of a burst only', () => {
    const relay = startRelay(native);

    for (let i = 0; i < 10; i += 1) {
      relay.write([text('a')]);
      jest.advanceTimersByTime(30);
    }
    jest.advanceTimersByTime(1000);

    expect(nudges()).toEqual([{ at: 9 * 30 + 50, text: ':\n' }]);
    relay.done();
  });

  test('comes for each chunk that is followed by silence', () => {
    const relay = startRelay(native);

    relay.write([text('a')]);
    jest.advanceTimersByTime(200);
    relay.write([text('b')]);
    jest.advanceTimersByTime(200);

    expect(nudges().map(({ at }) => at)).toEqual([50, 250]);
    relay.done();
  });

  test('comes after the reader has caught up, for the last chunk before', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);

    const full = relay.write([text('a')]);
    jest.advanceTimersByTime(1000);
    expect(nudges()).toEqual([]);
    stream.capacity = Number.POSITIVE_INFINITY;
    stream.drain();
    await full;
    jest.advanceTimersByTime(1000);

    expect(nudges()).toEqual([{ at: 1050, text: ':\n' }]);
    relay.done();
  });

  test('does not come while the reader is behind', () => {
    stream.capacity = 1;
    const relay = startRelay(native);

    const full = relay.write([text('a')]);
    jest.advanceTimersByTime(10_000);

    expect(full).toBeInstanceOf(Promise);
    expect(comments()).toEqual([]);
    stream.drain();
    relay.done();
  });

  test.each<[string, (relay: Relay) => void]>([
    ['done', (relay) => relay.done()],
    ['failed', (relay) => relay.fail(interrupted())],
  ])('does not come when the answer is %s', (_how, finish) => {
    const relay = startRelay(native);

    relay.write([text('a')]);
    finish(relay);
    jest.advanceTimersByTime(10_000);

    expect(comments()).toEqual([]);
  });

  test('does not exist in JSON', () => {
    const relay = startRelay(json);

    relay.write([text('a')]);
    jest.advanceTimersByTime(10_000);

    expect(stream.writes).toHaveLength(2);
    relay.done();
  });
});

test('an event that the protocol cannot say begins nothing, and nothing follows it', () => {
  const mute = {
    ...native,
    createWriter: (context: AnswerContext) => ({ ...native.createWriter(context), event: () => '' }),
  };
  const relay = startRelay(mute, { commitAfterMs: 25_000 });
  const before = jest.getTimerCount();

  relay.write([{ type: 'usage', inputTokens: 1 }]);

  expect(jest.getTimerCount()).toBe(before);
  expect(stream.writes).toEqual([]);
  relay.done();
});
