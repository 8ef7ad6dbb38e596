import { describe, expect, test } from '@jest/globals';
import type { AnswerEvent } from '../../lambda/events.ts';
import { decodeAll, decoderOf, END, eventsOf, failure, text } from '../fixtures/decoding.ts';

const event = (data: string) => `data: ${data}\n\n`;
const chunk = (value: string) => event(`{"chunk":"${value}"}`);

describe('a first message that begins like an event', () => {
  test.each<[string, string[], AnswerEvent[]]>([
    ['data of JSON', ['data: {"chunk":"a"}', 'data: "b"'], [text('a'), text('b')]],
    ['data of JSON with white space around it', ['data:  "a" '], [text('a')]],
    ['the mark of the end', ['data: [DONE]'], [END]],
    ['data of two lines', ['data: a\nof mine'], [text('a')]],
    ['data in a later line', ['id: 7\nof mine\ndata: a'], [text('a')]],
    ['fields alone, over two lines', ['id: 7\rretry: 5\r', event('"a"')], [text('a')]],
  ])('is one: %s', (_what, messages, items) => {
    expect(decodeAll(messages)).toEqual(items);
  });

  test.each<[string, string[]]>([
    ['data that is no JSON', ['data: a YAML key', '\nof mine']],
    ['data of a number', ['data: 42']],
    ['an id', ['id: 7', ' is the answer']],
    ['an id that is JSON where data would be', ['id:  "7"']],
    ['an event', ['event: of the year']],
    ['a field and more text', ['id: 7\nis the answer']],
  ])('is plain text: %s', (_what, messages) => {
    expect(decodeAll([...messages, chunk('a')])).toEqual([...messages, chunk('a')].map(text));
  });
});

describe('a first message that begins like a comment', () => {
  test.each<[string, string[]]>([
    ['before data', [': hello\n\n', chunk('a')]],
    ['without a text', [':\n\n', chunk('a')]],
    ['in the message of the data', [`: hello\n${chunk('a')}`]],
    ['before further comments and fields', [': hello\n\n', ': again\n\n', 'id: 7\n\n', chunk('a')]],
  ])('is one: %s', (_where, messages) => {
    expect(decodeAll(messages)).toEqual([text('a')]);
  });

  test.each<[string, string[]]>([
    ['before other text', [': hello\n\n', 'world']],
    ['with other text in the same message', [': hello\nworld']],
    ['with nothing behind it', [': hello\n\n']],
    ['without a space', [':hello\n\n', 'data']],
    ['of a colon alone, before text', [':', chunk('a')]],
  ])('is plain text: %s', (_where, messages) => {
    expect(decodeAll(messages)).toEqual(messages.map(text));
  });
});

test.each(['data: a YAML key', ': hello\nworld', 'id: 7\nis the answer', 'id: 7'])(
  'plain text that begins like an event or a comment is not held back: %j',
  (first) => {
    expect(decoderOf().decode(Buffer.from(first), false)).toEqual([text(first)]);
  },
);

describe('a document without any SSE among events', () => {
  test.each<[string, string, AnswerEvent[]]>([
    ['[DONE]', '[DONE]', [END]],
    ['[DONE] with white space around it', ' [DONE]\n', [END]],
    ['an object', '{"chunk":"b"}', [text('b')]],
    ['an object with white space around it', ' \n{"chunk":"b"}\n', [text('b')]],
    [
      'a failure',
      '{"type":"error","message":"x"}',
      [failure({ type: 'error', message: 'x' }) as AnswerEvent],
    ],
  ])('is read: %s', (_what, message, items) => {
    expect(decodeAll([chunk('a'), message])).toEqual([text('a'), ...items]);
    expect(decodeAll(['data: {"chunk":"a"}', message])).toEqual([text('a'), ...items]);
  });

  test.each(['{"chunk":\n\n', '["b"]\n\n', '"b"\n\n', 'b\n\n', '[DONE] [DONE]\n\n'])(
    'is a field that the standard does not know: %j',
    (message) => {
      expect(decodeAll([chunk('a'), message, chunk('c')])).toEqual([text('a'), text('c')]);
    },
  );

  test.each(['', '\n\n', ': hello\n\n'])(
    'is none in the middle of an event, which began behind %j',
    (before) => {
      const begun = `${before}data: {"chunk":\n`;
      const messages = [chunk('a'), begun, '{"chunk":"lost"}\n', 'data: "b"}\n\n'];

      expect(decodeAll(messages)).toEqual([text('a'), text('b')]);
    },
  );
});

describe('events that were framed twice', () => {
  test.each<[string, string[], AnswerEvent[]]>([
    [
      'as a JSON string',
      [event(JSON.stringify(chunk('a'))), event(JSON.stringify(chunk('b')))],
      [text('a'), text('b')],
    ],
    ['as they are', [event(`data: {"chunk":"a"}`), event('data:"b"')], [text('a'), text('b')]],
    ['and the mark of the end', [event('data: {"chunk":"a"}'), event('data: [DONE]')], [text('a'), END]],
    ['and one that was not', [event('data: {"chunk":"a"}'), chunk('b')], [text('a'), text('b')]],
    [
      'and a token like a frame',
      [event('data: {"chunk":"a"}'), event('"data: b"')],
      [text('a'), text('data: b')],
    ],
  ])('are read: %s', (_how, messages, items) => {
    expect(decodeAll(messages)).toEqual(items);
  });

  test.each<[string, string[], AnswerEvent[]]>([
    ['a first event that was not', [chunk('a'), event('data: "b"')], [text('a'), text('data: "b"')]],
    ['a token like a frame', [event('"data: a"')], [text('data: a')]],
    ['a frame that is not the beginning', [event('"a data: {}"')], [text('a data: {}')]],
    ['two frames in one event', [event('data: "a"\ndata: data: "b"')], [text('data: "a"\ndata: "b"')]],
  ])('are not taken for such: %s', (_what, messages, items) => {
    expect(decodeAll(messages)).toEqual(items);
  });
});

test('the name of an event is read in any case, and only of its own event', () => {
  const messages = ['event: ERROR\ndata: broken\n\n'];

  expect(decodeAll([chunk('a'), ...messages])).toEqual([text('a'), failure({ message: 'broken' })]);
  expect(decodeAll(['event: message\ndata: a\n\n', 'data: b\n\n'])).toEqual([text('a'), text('b')]);
});

test('nothing is read behind a document over the limit', () => {
  const decoder = decoderOf({ maxDocumentLength: 20 });

  const events = eventsOf([event('"a"'), `data: "${'x'.repeat(30)}`, chunk('late')], decoder);

  expect(events).toMatchObject([{ text: 'a' }, { type: 'malformed' }]);
  expect(events).toHaveLength(2);
});

test('a body is not recognised by an event in it', () => {
  expect(decodeAll([chunk('a')], { bodyType: 'text/plain' })).toEqual([text(chunk('a'))]);
});
