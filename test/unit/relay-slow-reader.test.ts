import { describe, expect, jest, test } from '@jest/globals';
import { Relay } from '../../lambda/answer/relay.ts';
import { StreamError } from '../../lambda/errors.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';
import {
  abort,
  events,
  interrupted,
  optionsFor,
  pauseReader,
  stalls,
  startRelay,
  stream,
  text,
  useRelay,
} from '../fixtures/relay.ts';

useRelay();

describe('a reader that is slower than the agent', () => {
  test('a write that fills the stream returns a promise, which its drain resolves', async () => {
    stream.capacity = 3;
    const relay = startRelay(native);

    expect(relay.write([text('a')])).toBeUndefined();
    const full = relay.write([text('b')]);
    expect(full).toBeInstanceOf(Promise);
    stream.drain();
    await full;

    expect(relay.write([text('c')])).toBeUndefined();
    relay.done();
    expect(events().map(({ chunk }) => chunk)).toEqual([undefined, 'a', 'b', 'c', undefined]);
  });

  test('the promise rejects with the reason when the answer is aborted', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);
    const reason = new StreamError('AgentTimeout', 'the answer exceeded its time limit');

    const full = relay.write([text('a')]);
    abort.abort(reason);

    await expect(full).rejects.toBe(reason);
    relay.fail(reason);
  });

  test('the promise rejects at once when the answer was aborted already', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);
    const reason = new StreamError('AgentTimeout', 'the answer exceeded its time limit');

    abort.abort(reason);

    await expect(relay.write([text('a')])).rejects.toBe(reason);
    relay.fail(reason);
  });

  test.each([
    [29_999, []],
    [30_000, [30_000]],
    [95_000, [95_000]],
  ])('a pause of %i ms is reported as %j', async (pauseMs, reported) => {
    stream.capacity = 1;
    const relay = startRelay(json);

    await pauseReader(relay, pauseMs);

    expect(stalls).toEqual(reported);
    relay.done();
  });

  test('a pause is over as well where nobody asks for it, as in a replayed answer', async () => {
    stream.capacity = 1;
    const relay = new Relay(optionsFor(json));

    await pauseReader(relay, 30_000);

    expect(relay.readerStalledMs).toBe(30_000);
    relay.done();
  });

  test('a pause that only the deadline ends is reported too', async () => {
    stream.capacity = 1;
    const relay = startRelay(json);

    const full = relay.write([text('a')]);
    jest.advanceTimersByTime(60_000);
    abort.abort(interrupted());

    await expect(full).rejects.toBe(abort.signal.reason);
    expect(stalls).toEqual([60_000]);
    relay.fail(interrupted());
  });
});

describe('waiting until all has left', () => {
  test('ends with the close of the stream', async () => {
    const relay = startRelay(native);
    relay.done();

    const closed = relay.closed(1000);
    stream.close();
    await closed;

    expect(performance.now()).toBe(0);
    expect(stream.listenerCount('close')).toBe(0);
  });

  test('ends at the limit when the reader stalls', async () => {
    const relay = startRelay(native);
    relay.done();
    let isOver = false;

    const closed = relay.closed(1000).then(() => {
      isOver = true;
    });
    await jest.advanceTimersByTimeAsync(999);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    await closed;

    expect(isOver).toBe(true);
    stream.close();
  });

  test('ends at once when the stream is closed', async () => {
    const relay = startRelay(native);
    relay.done();
    stream.close();

    await relay.closed(1000);

    expect(performance.now()).toBe(0);
  });
});
