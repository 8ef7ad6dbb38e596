import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import type { AnswerEvent } from '../../lambda/events.ts';
import { decodeAll, decoderOf, END, failure, text } from '../fixtures/decoding.ts';

describe('auto chooses the framing by the first non-empty message', () => {
  test.each<[string, string[], AnswerEvent[]]>([
    ['data:', ['data: "a"\n\n', 'data: "b"\n\n'], [text('a'), text('b')]],
    ['data: without a space', ['data:"a"', 'data:"b"'], [text('a'), text('b')]],
    ['event:', ['event: message\ndata: "a"\n\n', 'data: "b"\n\n'], [text('a'), text('b')]],
    ['id:', ['id: 7\ndata: "a"\n\n', 'data: "b"\n\n'], [text('a'), text('b')]],
    ['retry:', ['retry: 100\n\n', 'data: "b"\n\n'], [text('b')]],
  ])('%s makes it sse', (_start, messages, items) => {
    expect(decodeAll(messages)).toEqual(items);
  });

  test.each<[string, string[], AnswerEvent[]]>([
    ['a JSON object', ['{"chunk":"a"}', '{"chunk":"b"}'], [text('a'), text('b')]],
    ['a JSON string', ['"a"', '"b"'], [text('a'), text('b')]],
    ['an object with white space around it', [' {"chunk":"a"}\n', '"b"'], [text('a'), text('b')]],
    ['an object over several lines', ['{\n  "chunk": "a"\n}', '"b"'], [text('a'), text('b')]],
  ])('%s makes it json', (_first, messages, items) => {
    expect(decodeAll(messages)).toEqual(items);
  });

  test.each<[string, string]>([
    ['a word', 'Hello'],
    ['white space', '  '],
    ['a line break', '\n'],
    ['a number', '42'],
    ['null', 'null'],
    ['true', 'true'],
    ['an unfinished object', '{"chunk":"a"'],
    ['an object and more', '{"chunk":"a"} and more'],
    ['a quotation', '"Yes," she said'],
    ['a colon', ':'],
    ['two colons', '::'],
    ['a field name in another case', 'Data: x\n\n'],
    ['a field name after a space', ' data: x\n\n'],
    ['a field name after a line break', '\ndata: x\n\n'],
    ['a field name without a colon', 'data'],
    ['a URL', 'https://example.com/'],
  ])('%s makes it text, which is passed on verbatim', (_first, first) => {
    const later = ['data: "x"\n\n', '{"chunk":"x"}', '"x"', ' x \r\n'];

    const items = decodeAll([first, ...later]);

    expect(items).toEqual([first, ...later].map(text));
  });

  test('empty messages do not decide', () => {
    expect(decodeAll(['', '', '{"chunk":"a"}'])).toEqual([text('a')]);
  });

  test('a framing once chosen stays, whatever comes', () => {
    const sse = ['data: "a"', '{"chunk":"b"}', 'data: "c"'];
    const json = ['"a"', 'data: "b"\n\n', 'c'];

    expect(decodeAll(sse)).toEqual([text('a'), text('b'), text('c')]);
    expect(decodeAll(json)).toEqual([text('a'), text('data: "b"\n\n'), text('c')]);
  });
});

describe('a fixed framing', () => {
  test.each<[string, Partial<DecoderOptions>, string, AnswerEvent[]]>([
    ['text', { framing: 'text' }, '{"chunk":"a"}', [text('{"chunk":"a"}')]],
    ['text', { framing: 'text' }, 'data: "a"\n\n', [text('data: "a"\n\n')]],
    ['text', { framing: 'text' }, '"a"', [text('"a"')]],
    ['json', { framing: 'json' }, 'data: "a"\n\n', [text('data: "a"\n\n')]],
    ['json', { framing: 'json' }, 'plain', [text('plain')]],
    ['json', { framing: 'json' }, '42', [text('42')]],
    ['sse', { framing: 'sse' }, ': comment\n\ndata: "a"\n\n', [text('a')]],
    ['sse', { framing: 'sse' }, '{"chunk":"a"}', [text('a')]],
  ])('%s %j reads %j as it says', (_name, options, message, items) => {
    expect(decodeAll([message], options)).toEqual(items);
  });
});

describe('text', () => {
  test('only a message that is exactly [DONE] ends the answer', () => {
    const messages = ['a', '[DONE]\n', ' [DONE]', '[done]', '"[DONE]"', '[DONE]'];

    const items = decodeAll(messages, { framing: 'text' });

    expect(items).toEqual([...messages.slice(0, -1).map(text), END]);
  });

  test('nothing is trimmed or unescaped', () => {
    const messages = ['  a\\n ', '\r\n', '\t', '&amp;', '\0', '\u2028', '\ufeff'];

    expect(decodeAll(messages, { framing: 'text' })).toEqual(messages.map(text));
  });
});

describe('sse', () => {
  const endings = [
    ['nothing', ''],
    ['one newline', '\n'],
    ['one CRLF', '\r\n'],
    ['one CR', '\r'],
    ['a blank line', '\n\n'],
    ['a blank line of CRLF', '\r\n\r\n'],
    ['a blank line of CR', '\r\r'],
    ['a blank line, LF and CRLF mixed', '\n\r\n'],
    ['a blank line, CRLF and LF mixed', '\r\n\n'],
    ['two blank lines', '\n\n\n'],
  ] as const;

  test.each(endings)('messages that end with %s are one event each', (_name, ending) => {
    const messages = ['"a"', '" b"', '"c\\n"'].map((data) => `data: ${data}${ending}`);

    expect(decodeAll(messages)).toEqual([text('a'), text(' b'), text('c\n')]);
  });

  test.each(endings)('an event that ends with %s is out when the next message has come', (_name, ending) => {
    const decoder = decoderOf();

    const items = ['"a"', '"b"'].flatMap((data) =>
      decoder.decode(Buffer.from(`data: ${data}${ending}`), false),
    );

    expect(items[0]).toEqual(text('a'));
    expect([...items, ...decoder.close()]).toEqual([text('a'), text('b'), END]);
  });

  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
  ])('a message may hold several events, delimited by %s', (_name, newline) => {
    const events = ['data: "a"', 'data: "b"', 'data: "c"'];

    expect(decodeAll([events.join(newline + newline), 'data: "d"'])).toEqual(['a', 'b', 'c', 'd'].map(text));
  });

  test.each([
    ['LF', '\n\n'],
    ['CRLF', '\r\n\r\n'],
    ['CR', '\r\r'],
    ['LF and CRLF', '\n\r\n'],
    ['CRLF and LF', '\r\n\n'],
  ])('an event may span messages when the first message ended with a blank line of %s', (_name, ending) => {
    const messages = [
      `data: "a"${ending}`,
      'da',
      'ta: "b',
      '"\n',
      '\n',
      'data: "c"\r\n\r',
      '\ndata: "d"\n\n',
    ];

    expect(decodeAll(messages)).toEqual(['a', 'b', 'c', 'd'].map(text));
  });

  test('an event that its blank line has not ended is dropped, as the standard says', () => {
    expect(decodeAll(['data: "a"\n\n', 'data: "b"'])).toEqual([text('a')]);
  });

  test.each<[string, string, AnswerEvent[]]>([
    ['several data lines are one text with line breaks', 'data: a\ndata: b\n\n', [text('a\nb')]],
    ['one space after the colon is dropped, no more', 'data:  a \n\n', [text(' a ')]],
    ['data that is no JSON is text', 'data: hello world\n\n', [text('hello world')]],
    ['data that is JSON is read as a json message', 'data: {"chunk":"a"}\n\n', [text('a')]],
    ['a number is text', 'data: 42\n\n', [text('42')]],
    ['comments and unknown fields are ignored', ': hi\nfoo: bar\ndata: "a"\n\n', [text('a')]],
    ['[DONE] ends', 'data: "a"\n\ndata: [DONE]\n\n', [text('a'), END]],
    ['an end by type ends', 'data: {"type":"done"}\n\n', [END]],
    [
      'a failure by JSON fails',
      'data: {"error":"x"}\n\n',
      [{ type: 'failure', agentError: { message: 'x' } }],
    ],
  ])('%s', (_title, message, items) => {
    expect(decodeAll([message], { framing: 'sse' })).toEqual(items);
  });

  test.each(['done', 'complete', 'end', 'Done', 'COMPLETE'])('event: %s ends the answer', (event) => {
    expect(decodeAll([`data: "a"\n\n`, `event: ${event}\ndata: {}\n\n`])).toEqual([text('a'), END]);
  });

  test('text in an end event is the last chunk', () => {
    expect(decodeAll(['event: end\ndata: {"text":"bye"}\n\n'])).toEqual([text('bye'), END]);
  });

  test.each<[string, string, object]>([
    ['with JSON', '{"error":"boom"}', { message: 'boom' }],
    [
      'with JSON that names type and message',
      '{"error":{"type":"X","message":"boom"}}',
      { type: 'X', message: 'boom' },
    ],
    ['with a JSON string', '"boom"', { message: 'boom' }],
    ['with text', 'boom', { message: 'boom' }],
    ['with JSON of any shape', '{"reason":"boom"}', { message: '{"reason":"boom"}' }],
  ])('event: error %s is a failure', (_how, data, agentError) => {
    expect(decodeAll([`event: error\ndata: ${data}\n\n`])).toEqual([failure(agentError)]);
  });

  test('other event names mean nothing of their own', () => {
    expect(decodeAll(['event: message_delta\ndata: {"delta":"a"}\n\n'])).toEqual([text('a')]);
  });

  test('an event over the limit is reported instead of collected for ever', () => {
    const decoder = decoderOf({ maxDocumentLength: 100 });

    const items = [
      'data: "a"\n\n',
      ...Array.from({ length: 20 }, () => 'data: xxxxxxxxxx\n'),
      'data: "b"\n\n',
    ].flatMap((message) => decoder.decode(Buffer.from(message), false));

    expect(items).toEqual([text('a'), { type: 'malformed', problem: expect.stringMatching(/size limit/) }]);
  });
});

describe('binary messages', () => {
  test.each<[string, Partial<DecoderOptions>, string]>([
    ['text', { framing: 'text' }, 'aé漢🙂z'],
    ['auto', {}, 'aé漢🙂z'],
  ])('cut inside characters are read by one decoder (%s)', (_name, options, sent) => {
    const bytes = [...Buffer.from(sent)].map((byte) => Uint8Array.of(byte));

    const items = decodeAll(bytes, options);

    expect(items.map((item) => (item.type === 'text' ? item.text : item)).join('')).toBe(sent);
    expect(items.some((item) => item.type === 'text' && item.text.includes('\ufffd'))).toBe(false);
  });

  test('a JSON message may be binary', () => {
    expect(decodeAll([Buffer.from('{"chunk":"é"}'), Buffer.from('{"type":"done"}')])).toEqual([
      text('é'),
      END,
    ]);
  });

  test.each<[string, number[][]]>([
    ['an impossible byte', [[0x61], [0xff]]],
    ['an overlong form', [[0x61], [0xc0, 0x80]]],
    ['a surrogate', [[0x61], [0xed, 0xa0, 0x80]]],
    ['half a character and then a letter', [[0x61], [0xc3], [0x62]]],
    ['half a character and then the end', [[0x61], [0xe6, 0xbc]]],
    ['good text before and after', [[0x61, 0xff, 0x62]]],
  ])('that are not UTF-8 are reported behind what is: %s', (_what, messages) => {
    const items = decodeAll(messages.map((bytes) => Uint8Array.from(bytes)));

    expect(items).toEqual([text('a'), { type: 'malformed', problem: expect.stringMatching(/not UTF-8/) }]);
  });
});
