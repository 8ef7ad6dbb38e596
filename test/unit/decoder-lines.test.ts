import { describe, expect, test } from '@jest/globals';
import type { AnswerEvent } from '../../lambda/events.ts';
import { decodeAll, decoderOf, eventsOf, text } from '../fixtures/decoding.ts';

const A = '{"chunk":"a"}';
const B = '{"chunk":"b"}';

describe('lines of JSON in messages', () => {
  test.each<[string, string[]]>([
    ['in one message', [`${A}\n${B}\n`]],
    ['the last one without an end', [`${A}\n${B}`]],
    ['with empty lines between them', [`${A}\n\n \n${B}\n`]],
    ['with CRLF', [`${A}\r\n${B}\r\n`]],
    ['and then one a message', [`${A}\n${B}\n`, '{"chunk":"c"}', '{"chunk":"d"}\n']],
  ])('are recognised by the first: %s', (_how, messages) => {
    expect(decodeAll(messages).slice(0, 2)).toEqual([text('a'), text('b')]);
    expect(decodeAll(messages)).toHaveLength(messages.length === 1 ? 2 : 4);
  });

  test.each<[string, string]>([
    ['text behind the first', `${A}\nand more`],
    ['text before the last', `well\n${A}`],
    ['a list among them', `${A}\n[1]`],
  ])('are none: %s', (_what, message) => {
    expect(decodeAll([message])).toEqual([text(message)]);
  });

  test('may span messages, and end with the message that completes them', () => {
    const pieces = ['{"chunk"', ':"a"}', `\n${B}\n{"ch`, 'unk":"c"}\n'];

    const decoder = decoderOf({ framing: 'ndjson' });

    expect(pieces.map((piece) => decoder.decode(Buffer.from(piece), false))).toEqual([
      [],
      [text('a')],
      [text('b')],
      [text('c')],
    ]);
  });

  test('lose a CR at their end alone', () => {
    expect(decodeAll(['a\rb\r\n', 'c\n'], { framing: 'ndjson' })).toEqual([text('a\rb'), text('c')]);
  });
});

describe('lines of JSON in a body', () => {
  const lines = (...pieces: string[]) =>
    decodeAll(pieces, { bodyType: 'application/octet-stream' }).map((item) => 'text' in item && item.text);

  test.each<[string, string[], string[]]>([
    ['cut within the first', ['{"chu', 'nk":"a"}\n', B], ['a', 'b']],
    ['at once', [`${A}\n${B}\n`], ['a', 'b']],
    ['text, where the first is no JSON', ['{"chunk":', 'a}\n'], ['{"chunk":', 'a}\n']],
    ['text, where it does not begin with an object', [`["x"]\n${A}\n`], [`["x"]\n${A}\n`]],
    ['text, where the first has no end', [A], [A]],
  ])('%s', (_how, pieces, texts) => {
    expect(lines(...pieces)).toEqual(texts);
  });

  test.each(['Hello', '["x"', '42'])('are none where it begins with %j, which is not held back', (piece) => {
    const decoder = decoderOf({ bodyType: 'application/octet-stream' });

    expect(decoder.decode(Buffer.from(piece), false)).toEqual([text(piece)]);
  });

  test.each([
    ['application/x-ndjson'],
    ['application/ndjson'],
    ['application/jsonl'],
    ['Application/JSONL; charset=utf-8'],
    [' application/jsonl ; charset=utf-8'],
  ])('are read by the content type %s', (bodyType) => {
    // The first line is no object, by which lines would be recognised without a content type, too.
    expect(decodeAll(['"', 'a"', '\n', `${B}`], { bodyType })).toEqual([text('a'), text('b')]);
  });
});

describe('a body of JSON', () => {
  const bodyType = 'application/json; charset=utf-8';

  test('is one document, whatever its pieces', () => {
    const decoder = decoderOf({ bodyType });

    expect(['{"chunk"', ':"a"}'].flatMap((piece) => decoder.decode(Buffer.from(piece), false))).toEqual([]);
    expect(decoder.close()[0]).toEqual(text('a'));
  });

  test.each(['auto', 'generic', 'text', 'strands', 'openai'] as const)(
    'may be empty, and is no answer then (%s)',
    (dialect) => {
      expect(decodeAll([''], { bodyType, dialect })).toEqual([]);
      expect(decodeAll(['\ufeff'], { bodyType, dialect })).toEqual([]);
    },
  );
});

describe('a document that spans messages', () => {
  const malformed = { type: 'malformed', problem: 'the agent sent a document over the size limit' };

  test.each<[string, object, number]>([
    ['a line', { framing: 'ndjson' }, 21],
    ['a body', { bodyType: 'application/json' }, 21],
    ['a line of a body', { bodyType: 'application/x-ndjson' }, 21],
  ])('%s has a limit, which is a length that it may have', (_what, options, tooLong) => {
    const read = (length: number): AnswerEvent[] =>
      eventsOf(
        ['{"chunk":"', 'x'.repeat(length - 12), '"}'],
        decoderOf({ ...options, maxDocumentLength: 20 }),
      );

    expect(read(tooLong - 1)).toContainEqual(text('x'.repeat(8)));
    expect(read(tooLong).slice(-1)).toEqual([malformed]);
  });

  test('comes behind the lines before it', () => {
    const messages = [`${A}\n{"chunk":"${'x'.repeat(30)}`];

    expect(eventsOf(messages, decoderOf({ framing: 'ndjson', maxDocumentLength: 20 }))).toEqual([
      text('a'),
      malformed,
    ]);
  });
});
