import { describe, expect, jest, test } from '@jest/globals';
import { StreamError } from '../../lambda/errors.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';
import {
  abort,
  CONTEXT,
  comments,
  events,
  interrupted,
  stalls,
  startRelay,
  stream,
  text,
  useRelay,
} from '../fixtures/relay.ts';

useRelay();

describe('a response that the platform closes', () => {
  test('ends the wait for its reader, and the pause is reported once', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);

    const full = relay.write([text('a')]);
    jest.advanceTimersByTime(40_000);
    stream.close();
    abort.abort(interrupted());
    stream.drain();

    await expect(full).rejects.toBe(abort.signal.reason);
    expect(stalls).toEqual([40_000]);
    relay.fail(interrupted());
  });
});

describe('a response that grows too long', () => {
  test.each([
    ['SSE', native],
    ['JSON', json],
  ])('%s: is cut before the limit and ends with ResponseTooLarge in-band', (_name, format) => {
    const relay = startRelay(format, { maxResponseBytes: 1000 });
    const write = () => {
      for (let i = 0; i < 100; i += 1) relay.write([text('é'.repeat(20))]);
    };

    expect(write).toThrow(
      expect.objectContaining({
        code: 'ResponseTooLarge',
        message: 'the answer exceeded the maximum response size',
      }),
    );
    const sent = Buffer.byteLength(stream.body);
    relay.fail(interrupted());

    expect(sent).toBeLessThanOrEqual(1000);
    expect(sent).toBeGreaterThan(900);
    expect(stream.writableEnded).toBe(true);
    if (format === json) expect(JSON.parse(stream.body)).toMatchObject({ incomplete: true });
    else expect(events().at(-1)).toMatchObject({ partial: true });
  });

  test('a text of many events goes out as far as it may', () => {
    const relay = startRelay(native, { maxResponseBytes: 10_000 });

    expect(() => relay.write([text('x'.repeat(20_000))])).toThrow(
      expect.objectContaining({ code: 'ResponseTooLarge' }),
    );
    relay.fail(interrupted());

    expect(events()).toMatchObject([
      { start: true },
      { chunk: 'x'.repeat(4096) },
      { chunk: 'x'.repeat(4096) },
      {},
    ]);
    expect(relay.stats.chunks).toBe(2);
  });

  test('the bytes of text that went out are counted, also when the rest of it did not fit', () => {
    const relay = startRelay(native, { maxResponseBytes: 10_000 });

    expect(() => relay.write([text('x'.repeat(20_000))])).toThrow();

    expect(relay.stats).toMatchObject({ chunks: 2, bytes: 8192 });
    relay.fail(interrupted());
  });

  test.each<[string, number]>([
    ['nudge', 50],
    ['heartbeat', 15_000],
  ])('a %s for which there is no room throws nothing out of its timer', (_what, afterMs) => {
    const start = 'data: {"start":true}\n\n'.length + JSON.stringify(CONTEXT).length - 1;
    const relay = startRelay(native, { maxResponseBytes: start + 'data: {"chunk":"a"}\n\n'.length });
    relay.write([text('a')]);

    expect(() => jest.advanceTimersByTime(afterMs)).not.toThrow();

    relay.done();
    expect(events().at(-1)).toMatchObject({ done: true });
  });

  test('a limit that not even the first event meets is no reason for a crash by timer', () => {
    const relay = startRelay(native, { maxResponseBytes: 10, commitAfterMs: 1000 });

    expect(() => jest.advanceTimersByTime(1000)).not.toThrow();

    relay.fail(interrupted());
  });

  test.each([
    ['SSE', native],
    ['JSON', json],
  ])('%s: a limit that not even the first event meets still gives a valid answer', (_name, format) => {
    const relay = startRelay(format, { maxResponseBytes: 10 });

    expect(() => relay.write([text('a')])).toThrow(expect.objectContaining({ code: 'ResponseTooLarge' }));
    relay.fail(new StreamError('ResponseTooLarge', 'the answer exceeded the maximum response size'));

    if (format === json) expect(() => JSON.parse(stream.body)).not.toThrow();
    else expect(events().at(-1)).toMatchObject({ code: 'ResponseTooLarge' });
  });
});

describe('a platform that closes the response early', () => {
  test('the answer is aborted, and nothing more is written', () => {
    const relay = startRelay(native);
    relay.write([text('a')]);

    stream.close();

    expect(abort.signal.reason).toMatchObject({
      code: 'AgentInterrupted',
      message: 'the platform closed the response stream',
    });
    const written = stream.writes.length;
    relay.write([text('b')]);
    relay.fail(abort.signal.reason);
    jest.advanceTimersByTime(60_000);
    expect(stream.writes).toHaveLength(written);
  });

  test('a reader waited for is waited for no longer', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);
    const full = relay.write([text('a')]);

    stream.close();

    await expect(full).rejects.toMatchObject({ code: 'AgentInterrupted' });
    relay.fail(abort.signal.reason);
  });

  test('a write to a stream that was full when it was closed waits for nothing', () => {
    stream.capacity = 1;
    const relay = startRelay(native, { commitAfterMs: 0 });

    stream.close();

    expect(relay.write([text('a')])).toBeUndefined();
    expect(abort.signal.reason).toMatchObject({ code: 'AgentInterrupted' });
    relay.fail(abort.signal.reason);
  });

  test('heartbeats and nudges stop by themselves', () => {
    const relay = startRelay(native);
    relay.write([text('a')]);

    stream.close();
    jest.advanceTimersByTime(60_000);

    expect(comments()).toEqual([]);
    relay.done();
  });

  test('a close after the end is the normal end, and aborts nothing', () => {
    const relay = startRelay(native);
    relay.write([text('a')]);
    relay.done();

    stream.close();

    expect(abort.signal.aborted).toBe(false);
  });
});
