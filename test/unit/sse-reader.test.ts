import fc from 'fast-check';
import { createSseReader } from '../../client/sse.ts';
import { cuts as anyCuts, cutAt, FUZZ, unicode } from '../fixtures/arbitraries.ts';

/** Reads a whole stream that arrives cut at the given bytes, as the client does. */
function read(bytes: Uint8Array, cuts: number[] = []): string[] {
  const decoder = new TextDecoder();
  const readSse = createSseReader();
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  const parts = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
  return parts.flatMap((part) => readSse(decoder.decode(part, { stream: true })));
}

const utf8 = (text: string) => new TextEncoder().encode(text);

test.each([
  ['one event', 'data: a\n\n', ['a']],
  ['several events in one read', 'data: a\n\ndata: b\n\ndata: c\n\n', ['a', 'b', 'c']],
  ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
  ['CR alone', 'data: a\r\rdata: b\r\r', ['a', 'b']],
  ['mixed line ends', 'data: a\r\n\ndata: b\n\r', ['a', 'b']],
  ['several data lines, joined by LF', 'data: a\ndata: b\ndata\ndata: c\n\n', ['a\nb\n\nc']],
  ['no space after the colon', 'data:a\n\n', ['a']],
  ['only one space taken away', 'data:  a \n\n', [' a ']],
  ['an empty data line', 'data:\n\n', ['']],
  ['comments and heartbeats skipped', ': keep-alive\n\n:\n\ndata: a\n: x\n\n', ['a']],
  ['comments skipped that have no blank line behind them', ': keep-alive\n:\ndata: a\n\n:\n', ['a']],
  ['other fields skipped', 'event: x\nid: 1\nretry: 5\ndatax: no\n data: no\ndata: a\n\n', ['a']],
  ['a byte order mark before the first line', '\u{feff}data: a\n\n', ['a']],
  ['a blank line without data', '\n\nevent: x\n\ndata: a\n\n', ['a']],
  ['an event without its blank line is not complete', 'data: a\n\ndata: b\n', ['a']],
])('reads %s', (_, stream, expected) => {
  expect(read(utf8(stream))).toEqual(expected);
});

test('an event is there as soon as its blank line is, not with the next read', () => {
  const readSse = createSseReader();

  expect(readSse('data: a\r\n\r')).toEqual(['a']);
  expect(readSse('\n')).toEqual([]);
  expect(readSse('data: b\n\n')).toEqual(['b']);
});

test('any events, cut at any bytes, with any line ends, are the same events', () => {
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
  const data = unicode({ maxLength: 40 }).map((text) => text.replace(/[\r\n]/g, ' '));
  const event = fc.record({
    lines: fc.array(data, { minLength: 1, maxLength: 3 }),
    comment: fc.option(data, { nil: undefined }),
  });
  const stream = fc.record({
    bom: fc.boolean(),
    eol: lineEnd,
    events: fc.array(event, { maxLength: 8 }),
    cuts: anyCuts,
  });

  fc.assert(
    fc.property(stream, ({ bom, eol, events, cuts }) => {
      const lines = events.flatMap(({ lines: values, comment }) => [
        ...(comment === undefined ? [] : [`: ${comment}`]),
        ...values.map((value) => `data: ${value}`),
        '',
      ]);
      const bytes = utf8((bom ? '\u{feff}' : '') + lines.map((line) => line + eol).join(''));

      const received = read(
        bytes,
        cuts.map((cut) => Math.floor(cut * bytes.length)),
      );

      expect(received).toEqual(events.map(({ lines: values }) => values.join('\n')));
    }),
    FUZZ,
  );
});

test('a line of 20 MB in reads of 16 KB takes no quadratic time', () => {
  const readSse = createSseReader();
  const part = 'x'.repeat(16_384);

  const startedAt = performance.now();
  readSse('data: ');
  for (let index = 0; index < 1_280; index += 1) readSse(part);
  const [event] = readSse('\n\n');

  expect(event).toHaveLength(16_384 * 1_280);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test('the cuts of these tests do cut', () => {
  const bytes = new Uint8Array(100);
  const samples = fc.sample(anyCuts, 200);

  const cut = samples.filter((where) => cutAt(bytes, where).length > 1);

  expect(cut.length).toBeGreaterThan(100);
});
