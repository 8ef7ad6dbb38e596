import { describe, expect, jest, test } from '@jest/globals';
import { agUi } from '../../lambda/protocols/ag-ui.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';
import { abort, interrupted, renewStream, startRelay, stream, text, useRelay } from '../fixtures/relay.ts';

useRelay();

/** The writes of an answer behind its start event. */
const writes = () => stream.texts.slice(1);
const chunk = (value: string) => `data: {"chunk":"${value}"}\n\n`;

describe('events that arrive together', () => {
  test('leave in one write, in their order', () => {
    const relay = startRelay(native);

    relay.write([text('a'), { type: 'reasoning', text: 'b' }, text('c')]);

    expect(writes()).toEqual([`${chunk('a')}data: {"reasoning":"b"}\n\n${chunk('c')}`]);
    relay.done();
  });

  test('leave before the events of the next call', () => {
    const relay = startRelay(native);

    relay.write([text('a'), text('b')]);
    relay.write([text('c')]);

    expect(writes()).toEqual([chunk('a') + chunk('b'), chunk('c')]);
    relay.done();
  });

  test('are cut between two events once a write has 4096 characters', () => {
    const relay = startRelay(native);
    const exact = text('x'.repeat(2048 - chunk('').length));

    relay.write([exact, exact, exact, text('y')]);

    expect(writes().map(({ length }) => length)).toEqual([4096, 2048 + chunk('y').length]);
    relay.done();
  });

  test('go out as far as the limit lets them, and are counted so', () => {
    const relay = startRelay(native, { maxResponseBytes: 1000 });
    const batch = Array.from({ length: 100 }, () => text('x'.repeat(50)));

    expect(() => relay.write(batch)).toThrow(expect.objectContaining({ code: 'ResponseTooLarge' }));

    const [written = ''] = writes();
    expect(writes()).toHaveLength(1);
    expect(written.length).toBe(relay.stats.chunks * chunk('x'.repeat(50)).length);
    expect(stream.body.length).toBeGreaterThan(1000 - chunk('x'.repeat(50)).length);
    relay.fail(interrupted());
  });

  test('may fill the response up to its very last byte', () => {
    const open = startRelay(native, { commitAfterMs: 0 });
    open.done();
    const start = stream.texts[0]?.length ?? 0;
    renewStream();

    const relay = startRelay(native, { maxResponseBytes: start + 2 * chunk('é').length + 2 });

    relay.write([text('é'), text('é')]);
    expect(() => relay.write([{ type: 'toolCallEnd', id: '' }])).toThrow();
    expect(relay.stats).toMatchObject({ chunks: 2, bytes: 4 });
    relay.fail(interrupted());
  });

  test('are waited for together, when the reader is behind', async () => {
    stream.capacity = 2;
    const relay = startRelay(native);

    const full = relay.write([text('a'), text('b')]);
    expect(writes()).toEqual([chunk('a') + chunk('b')]);
    jest.advanceTimersByTime(400);
    stream.drain();
    await full;

    expect(relay.readerStalledMs).toBe(400);
    relay.done();
  });

  test('are nothing without an event, and begin no answer', () => {
    const relay = startRelay(native);

    expect(relay.write([])).toBeUndefined();

    expect(relay.isCommitted).toBe(false);
    relay.done();
  });

  test('begin no answer where the protocol has no form for them', () => {
    const relay = startRelay(json);

    relay.write([{ type: 'reasoning', text: 'hm' }]);

    expect(relay.isCommitted).toBe(false);
    expect(stream.writes).toEqual([]);
    relay.done();
  });
});

describe('data that stands in the text', () => {
  const data = { type: 'data', value: { a: 1 }, raw: '{"a":1}' } as const;

  test('is text where the protocol takes it so, and counts as text', () => {
    const relay = startRelay(native);

    relay.write([{ ...data, inline: true }]);

    expect(writes()).toEqual(['data: {"chunk":"{\\"a\\":1}"}\n\n']);
    expect(relay.stats).toMatchObject({ chunks: 1, bytes: 7 });
    relay.done();
  });

  test.each([
    ['that does not stand there', native, data],
    ['of a protocol that has a form for it', agUi, { ...data, inline: true } as const],
  ])('is an event of its own %s', (_what, protocol, event) => {
    const relay = startRelay(protocol);

    relay.write([event]);

    expect(stream.body).toContain('{"a":1}');
    expect(relay.stats).toMatchObject({ chunks: 0, bytes: 0 });
    relay.done();
  });
});

describe('what is counted of an answer', () => {
  test('the tokens of all its reports', () => {
    const relay = startRelay(native);

    relay.write([{ type: 'usage', inputTokens: 3 }]);
    relay.write([
      { type: 'usage', outputTokens: 2 },
      { type: 'usage', inputTokens: 10, outputTokens: 20 },
    ]);

    expect(relay.stats.usage).toEqual({ inputTokens: 13, outputTokens: 22 });
    relay.done();
  });

  test('no tokens, where none are reported, and no question', () => {
    const relay = startRelay(native);

    relay.write([text('a'), { type: 'toolCallEnd', id: 't' }]);

    expect(relay.stats).toEqual({ chunks: 1, bytes: 1, durationMs: 0 });
    relay.done();
  });

  test('that it ends with a question', () => {
    const relay = startRelay(native);

    relay.write([{ type: 'interrupt', id: 'i' }]);

    expect(relay.stats).toEqual({ chunks: 0, bytes: 0, durationMs: 0, interrupted: true });
    relay.done();
  });

  test.each([
    ['in one text', ['🙂'], 4],
    ['in two texts', ['\ud83d', '\ude42'], 4],
    ['twice, in three texts', ['a\ud83d', '\ude42\ud83d', '\ude42'], 9],
    ['not joined: a text between', ['\ud83d', 'a', '\ude42'], 7],
    ['not joined: the halves the wrong way round', ['\ude42', '\ud83d'], 6],
    ['a first half alone', ['\ud83d', 'a'], 4],
  ])('the bytes of a surrogate pair %s', (_how, texts, bytes) => {
    const relay = startRelay(native);

    for (const value of texts) relay.write([text(value)]);

    expect(relay.stats.bytes).toBe(bytes);
    expect(Buffer.byteLength(texts.join(''))).toBe(bytes);
    relay.done();
  });
});

describe('a reader that leaves', () => {
  test('an answer that outlives its reader goes on, and writes nothing more', () => {
    const relay = startRelay(native, { outlivesReader: true });
    relay.write([text('a')]);

    stream.close();

    expect(abort.signal.aborted).toBe(false);
    const written = stream.writes.length;
    expect(relay.write([text('b'), text('c')])).toBeUndefined();
    jest.advanceTimersByTime(60_000);
    relay.done();
    expect(stream.writes).toHaveLength(written);
    expect(relay.stats).toMatchObject({ chunks: 3, bytes: 3 });
  });

  test('a reader that has left before the answer begins is written nothing', () => {
    const relay = startRelay(native);
    stream.destroyed = true;

    relay.write([text('a')]);
    relay.done();

    expect(stream.writes).toEqual([]);
  });
});

describe('a way on which nothing holds a small write back', () => {
  test('needs no comment behind it', () => {
    const relay = startRelay(native, { holdsSmallWrites: false });

    relay.write([text('a')]);
    jest.advanceTimersByTime(10_000);

    expect(writes()).toEqual([chunk('a')]);
    relay.done();
  });
});
