import { describe, expect, jest, test } from '@jest/globals';
import type { Relay } from '../../lambda/answer/relay.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';
import {
  abort,
  CONTEXT,
  comments,
  interrupted,
  pauseReader,
  startRelay,
  stream,
  text,
  useRelay,
} from '../fixtures/relay.ts';

useRelay();

const ENDS: [string, (relay: Relay) => void][] = [
  ['done', (relay) => relay.done()],
  ['failed', (relay) => relay.fail(interrupted())],
];

describe('an answer ends once', () => {
  test.each(ENDS)('after it is %s nothing more is written', (_how, finish) => {
    const relay = startRelay(native);
    finish(relay);
    const { body } = stream;

    expect(relay.write([text('late')])).toBeUndefined();
    relay.done();
    relay.fail(interrupted());

    expect(stream.body).toBe(body);
    expect(stream.writableEnded).toBe(true);
  });

  test('an end that its reader has already is not written again', () => {
    const relay = startRelay(native, {
      context: { ...CONTEXT, sessionReplaced: false, replay: { after: 2 } },
    });
    relay.write([text('a')]);
    jest.advanceTimersByTime(50);

    relay.done();

    expect(stream.texts).toEqual([':\n']);
    expect(stream.writableEnded).toBe(true);
  });
});

describe('the time of an answer', () => {
  test('begins with it, and not with the process', () => {
    jest.advanceTimersByTime(5000);
    const relay = startRelay(native);
    jest.advanceTimersByTime(20);

    expect(relay.stats.durationMs).toBe(20);
    relay.done();
  });

  test('that its reader takes is counted from the pause on', async () => {
    stream.capacity = 1;
    jest.advanceTimersByTime(5000);
    const relay = startRelay(json);

    await pauseReader(relay, 20);

    expect(relay.readerStalledMs).toBe(20);
    relay.done();
  });
});

describe('what an answer leaves at its stream', () => {
  test('after a wait for its close, up to the limit, is no listener of the wait', async () => {
    const relay = startRelay(json);
    relay.done();
    const listeners = stream.listenerCount('close');
    const closed = relay.closed(1000);

    await jest.advanceTimersByTimeAsync(1000);
    await closed;

    expect(stream.listenerCount('close')).toBe(listeners);
  });

  test('after its reader has caught up is the one listener that it began with', async () => {
    stream.capacity = 2;
    const relay = startRelay(json);

    const full = relay.write([text('a')]);
    stream.drain();
    await full;

    expect(stream.listenerCount('close')).toBe(1);
    relay.done();
  });

  test('is no timer, where the format fills no silence', () => {
    const relay = startRelay(json);

    relay.write([text('a')]);

    expect(jest.getTimerCount()).toBe(0);
    relay.done();
  });
});

describe('a comment at the end of the room', () => {
  const head = `data: ${JSON.stringify({ start: true, ...CONTEXT })}\n\ndata: {"chunk":"a"}\n\n`;

  test.each([
    [2, [':\n']],
    [1, []],
  ])('with %i bytes left: %j', (left, written) => {
    const relay = startRelay(native, { maxResponseBytes: head.length + left });
    relay.write([text('a')]);
    expect(stream.body).toBe(head);

    jest.advanceTimersByTime(50);

    expect(comments().map((comment) => comment.text)).toEqual(written);
    relay.done();
  });
});

test('an empty text is an event too, as its number says', () => {
  const relay = startRelay(native);

  relay.write([text('')]);

  expect(stream.texts.slice(1)).toEqual(['data: {"chunk":""}\n\n']);
  relay.done();
});

test('a reader that leaves an answer that outlives it is waited for no longer', async () => {
  stream.capacity = 1;
  const relay = startRelay(native, { outlivesReader: true });

  const full = relay.write([text('a')]);
  expect(full).toBeInstanceOf(Promise);
  stream.close();
  await full;

  expect(abort.signal.aborted).toBe(false);
  relay.done();
});
