import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import { DIALECTS, type DialectName } from '../../lambda/dialects/dialects.ts';
import { decodeAll, decoderOf, END, eventsOf, text } from '../fixtures/decoding.ts';

const BOM = '\ufeff';

describe('a byte order mark', () => {
  test.each<[string, string[], string[]]>([
    ['of an object', [`${BOM}{"chunk":"a"}`, '"b"'], ['a', 'b']],
    ['of an event', [`${BOM}data: "a"\n\n`, 'data: "b"\n\n'], ['a', 'b']],
  ])('is skipped in front of the first message: %s', (_what, messages, texts) => {
    expect(decodeAll(messages)).toEqual(texts.map(text));
  });

  test.each<[string, string[]]>([
    ['in front of plain text', [`${BOM}Hello`, 'you']],
    ['in plain text', ['Hello', `${BOM}you`, `you${BOM}`]],
    ['at the end of the first', [`Hello${BOM}`]],
  ])('is text %s', (_where, messages) => {
    expect(decodeAll(messages)).toEqual(messages.map(text));
  });

  test('is no part of a document in a later message', () => {
    expect(decodeAll(['"a"', `${BOM}"b"`])).toEqual([text('a'), text(`${BOM}"b"`)]);
  });
});

describe('the content type of a body', () => {
  test.each<[string, DecoderOptions['framing'], string, string, string[]]>([
    ['overrules the entry where it names events', 'json', 'text/event-stream', 'data: "a"\n\n', ['a']],
    ['is overruled by the entry where it names JSON', 'ndjson', 'application/json', '"a"\n"b"\n', ['a', 'b']],
    ['is overruled by the entry where it names lines', 'text', 'application/x-ndjson', '"a"\n', ['"a"\n']],
    ['is overruled by the entry where it names nothing', 'ndjson', 'text/plain', '"a"\n"b"\n', ['a', 'b']],
  ])('%s', (_what, framing, bodyType, body, texts) => {
    expect(decodeAll([body], { framing, bodyType })).toEqual(texts.map(text));
  });
});

describe('what waits for the framing to be known', () => {
  test('waits up to the longest document, and is plain text beyond it', () => {
    const decoder = decoderOf({ bodyType: 'application/octet-stream', maxDocumentLength: 10 });
    const read = (piece: string) => decoder.decode(Buffer.from(piece), false);

    expect([read('{"chunk"'), read(':"')]).toEqual([[], []]);
    expect(read('a')).toEqual(['{"chunk"', ':"', 'a'].map(text));
  });
});

describe('a mark of the answer before', () => {
  test.each([['{"chunk":"a"}'], ['a'], ['[DONE] a']])('is not %j, which is kept', (first) => {
    const messages = [first, '[DONE]'];

    expect(decodeAll(messages, { followsUnmarked: true })).toEqual(decodeAll(messages));
  });
});

test('half a character and then a message of text is no UTF-8', () => {
  const events = eventsOf(['a', Uint8Array.of(0xc3), 'b'], decoderOf());

  expect(events).toEqual([text('a'), { type: 'malformed', problem: expect.stringMatching(/not UTF-8/) }]);
});

test.each(Object.keys(DIALECTS) as DialectName[])(
  'plain text is a whole answer at the close, whatever the dialect of the entry: %s',
  (dialect) => {
    expect(eventsOf(['a'], decoderOf({ dialect, framing: 'text' }))).toEqual([text('a'), END]);
  },
);

describe('the dialect', () => {
  const started = '{"type":"RUN_STARTED","threadId":"t","runId":"r"}';
  const asData = { type: 'data', name: 'RUN_STARTED', value: JSON.parse(started), raw: started };

  test('is the one that the entry names, whatever comes', () => {
    expect(eventsOf([started], decoderOf({ dialect: 'generic', structured: 'event' }))[0]).toEqual(asData);
  });

  test('is of no framework behind text that no framework sends', () => {
    const events = eventsOf(['{"chunk":"a"}', started], decoderOf({ structured: 'event' }));

    expect(events.slice(0, -1)).toEqual([text('a'), asData]);
  });

  test.each(['event', 'drop'] as const)(
    'is recognised behind data that no framework sends (%s)',
    (structured) => {
      const events = eventsOf(['{"hello":1}', started], decoderOf({ structured }));

      expect(events).not.toContainEqual(asData);
      expect(events.filter(({ type }) => type === 'data')).toHaveLength(structured === 'drop' ? 0 : 1);
      expect(events.at(-1)).not.toEqual(END);
    },
  );
});
