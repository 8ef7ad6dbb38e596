import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import type { AnswerEvent } from '../../lambda/events.ts';
import { decodeAll, END, failure, text } from '../fixtures/decoding.ts';

describe('json, rule by rule', () => {
  const json = (message: unknown, options: Partial<DecoderOptions> = {}) =>
    decodeAll([typeof message === 'string' ? message : JSON.stringify(message)], {
      framing: 'json',
      ...options,
    });

  test('1: [DONE] is the end', () => {
    expect(json('[DONE]')).toEqual([END]);
  });

  test.each(['', ' ', 'a"b', '\n', '[DONE]', '{"type":"done"}', '\ud800', '🙂'])(
    '2: the JSON string of %j is its value',
    (value) => {
      expect(json(value === '' ? '""' : JSON.stringify(value))).toEqual(value === '' ? [] : [text(value)]);
    },
  );

  test.each([
    'done',
    'complete',
    'completed',
    'end',
    'stream_complete',
    'run_finished',
    'run_completed',
    'bidi_response_complete',
    'DONE',
    'RUN_FINISHED',
    'Stream_Complete',
  ])('3: type %s ends the answer', (type) => {
    expect(json({ type })).toEqual([END]);
    expect(json({ type, usage: { tokens: 3 } })).toEqual([END]);
  });

  test.each<[string, object, AnswerEvent[]]>([
    ['event, where there is no type', { event: 'done' }, [END]],
    ['event beside another type does not', { type: 'delta', event: 'done', text: 'a' }, [text('a')]],
    ['text beside an end type is the last chunk', { type: 'complete', content: 'bye' }, [text('bye'), END]],
    ['done: true alone', { done: true }, [END]],
    ['done: true with envelope', { done: true, id: '1', sessionId: 's', type: 'chunk' }, [END]],
    ['done: true with text', { done: true, text: 'bye' }, [text('bye'), END]],
    ['done: true with delta.text', { done: true, delta: { text: 'bye' } }, [text('bye'), END]],
    ['done: true with an empty text', { done: true, chunk: '' }, [END]],
    ['done: false does not', { done: false, text: 'a' }, [text('{"done":false,"text":"a"}')]],
    ['done: "true" does not', { done: 'true' }, [text('{"done":"true"}')]],
    ['done: 1 does not', { done: 1 }, [text('{"done":1}')]],
    ['done: true with other keys does not', { done: true, step: 3 }, [text('{"done":true,"step":3}')]],
    ['bidi_response_complete', { type: 'bidi_response_complete', stop_reason: 'complete' }, [END]],
    ['an interrupted Bidi response', { type: 'bidi_response_complete', stop_reason: 'interrupted' }, [END]],
    [
      'a tool call does not',
      { type: 'bidi_response_complete', stop_reason: 'tool_use' },
      [text('{"type":"bidi_response_complete","stop_reason":"tool_use"}')],
    ],
    ['message_stop does not', { type: 'message_stop' }, [text('{"type":"message_stop"}')]],
    ['turn_end does not', { type: 'turn_end' }, [text('{"type":"turn_end"}')]],
    ['a type that only contains one does not', { type: 'not_done', text: 'a' }, [text('a')]],
  ])('3: %s', (_title, message, items) => {
    expect(json(message)).toEqual(items);
  });

  test.each([
    ['message_stop', { type: 'message_stop' }],
    ['Message_Stop', { type: 'message_stop' }],
    ['turn_end', { event: 'turn_end', session_id: 's' }],
  ])('3: endMarker %s makes %j the end, and the known ones stay', (endMarker, message) => {
    expect(json(message, { endMarker })).toEqual([END]);
    expect(json({ type: 'done' }, { endMarker })).toEqual([END]);
  });

  test('3: a failure comes before an end', () => {
    expect(json({ type: 'done', error: 'x' })).toEqual([failure({ type: 'done', message: 'x' })]);
  });

  test('3: an error type beside an error without a text is a failure', () => {
    const message = 'An error occurred during streaming';

    expect(json({ error: '', error_type: 'ValueError', message })).toEqual([
      failure({ type: 'ValueError', message }),
    ]);
  });

  test('3: an end message that brings a result along passes it on', () => {
    const message = { type: 'complete', result: { files: 2 } };

    expect(json(message)).toEqual([text(JSON.stringify(message)), END]);
    expect(json(message, { structured: 'drop' })).toEqual([END]);
  });

  test.each<[string, object, object]>([
    ['type error', { type: 'error', message: 'boom' }, { type: 'error', message: 'boom' }],
    ['type ERROR', { type: 'ERROR', message: 'boom' }, { type: 'ERROR', message: 'boom' }],
    [
      'type run_error',
      { type: 'RUN_ERROR', message: 'boom', code: 'E1' },
      { type: 'RUN_ERROR', code: 'E1', message: 'boom' },
    ],
    ['type run_failed', { type: 'run_failed', error: 'boom' }, { type: 'run_failed', message: 'boom' }],
    [
      'type stream_error',
      { type: 'stream_error', message: 'boom' },
      { type: 'stream_error', message: 'boom' },
    ],
    [
      'type bidi_error',
      { type: 'bidi_error', code: 'E', message: 'boom' },
      { type: 'bidi_error', code: 'E', message: 'boom' },
    ],
    [
      'such a type with any other key',
      { type: 'error', message: 'boom', trace: [1] },
      { type: 'error', message: 'boom' },
    ],
    ['error alone', { error: 'boom' }, { message: 'boom' }],
    ['error with envelope', { error: 'boom', id: '1', timestamp: 5 }, { message: 'boom' }],
    [
      'error with its companions',
      { error: 'boom', error_type: 'ValueError', message: 'An error occurred during streaming' },
      { type: 'ValueError', message: 'boom' },
    ],
    ['error_code', { error: 'boom', error_code: 42 }, { code: 42, message: 'boom' }],
    ['code and details', { error: 'boom', code: 'E', details: 'more' }, { code: 'E', message: 'boom' }],
    ['status', { error: 'boom', status: 500 }, { code: 500, message: 'boom' }],
    [
      'an object',
      { error: { type: 'X', code: 7, message: 'boom' } },
      { type: 'X', code: 7, message: 'boom' },
    ],
  ])('4: %s is a failure', (_title, message, agentError) => {
    expect(json(message)).toEqual([failure(agentError)]);
  });

  test.each<object>([
    { error: '' },
    { error: null },
    { error: {} },
    { error: 'boom', original_type: 'datetime' },
    { error: 'boom', step: 3 },
    { error: 'boom', text: 'a' },
    { type: 'error_report' },
    { errors: ['boom'] },
  ])('4: %j is structured data, no failure', (message) => {
    const sent = JSON.stringify(message);

    expect(json(message)).toEqual([text(sent)]);
    expect(json(message, { structured: 'drop' })).toEqual([]);
  });

  test.each<[string, object]>([
    ['chunk', { chunk: 'a' }],
    ['text', { text: 'a' }],
    ['content', { content: 'a' }],
    ['delta', { delta: 'a' }],
    ['delta.text', { delta: { text: 'a' } }],
    ['data', { data: 'a' }],
    [
      'the whole envelope around it',
      {
        type: 't',
        event: 'e',
        id: 1,
        index: 2,
        role: 'r',
        sequence: 3,
        timestamp: 4,
        session_id: 's',
        sessionId: 's',
        message_id: 'm',
        messageId: 'm',
        threadId: 't',
        runId: 'r',
        parentMessageId: 'p',
        text: 'a',
      },
    ],
  ])('5: the string in %s is text', (_title, message) => {
    expect(json(message)).toEqual([text('a')]);
    expect(json(message, { structured: 'drop' })).toEqual([text('a')]);
  });

  test('5: an empty text says nothing', () => {
    expect(json({ chunk: '' })).toEqual([]);
  });

  test.each<[object, string, AnswerEvent[]]>([
    [{ delta: { text: 'a', kind: 'x' }, index: 0 }, 'delta.text', [text('a')]],
    [
      { event: { contentBlockDelta: { delta: { text: 'a' }, contentBlockIndex: 0 } } },
      'event.contentBlockDelta.delta.text',
      [text('a')],
    ],
    [{ choices: [{ delta: { content: 'a' } }] }, 'choices.0.delta.content', [text('a')]],
    [{ type: 'done', answer: 'a' }, 'answer', [text('a'), END]],
    [{ text: 'a' }, 'answer', [text('{"text":"a"}')]],
    [{ answer: 5 }, 'answer', [text('{"answer":5}')]],
    [{}, 'constructor.name', [text('{}')]],
    [{}, '__proto__.constructor.name', [text('{}')]],
  ])('5: of %j, textPath %s finds its text and no other', (message, textPath, items) => {
    expect(json(message, { textPath })).toEqual(items);
  });

  test.each<object>([
    {},
    { a: 1 },
    { text: 'a', score: 1 },
    { text: 'a', content: 'b' },
    { text: 5 },
    { chunk: { nested: 'x' } },
    { type: 'delta' },
    { message: 'hello' },
    { constructor: 'x' },
    [1, { type: 'done' }],
    [],
  ])('6: %j is structured data and passes through as it was sent, or is left out', (message) => {
    const sent = JSON.stringify(message, undefined, 1);

    expect(json(sent)).toEqual([text(sent)]);
    expect(json(sent, { structured: 'drop' })).toEqual([]);
  });

  test('6: a __proto__ key is data like any other', () => {
    expect(json('{"__proto__":{"type":"done"}}')).toEqual([text('{"__proto__":{"type":"done"}}')]);
    expect(json('{"__proto__":{"text":"x"},"text":"a"}')).toEqual([
      text('{"__proto__":{"text":"x"},"text":"a"}'),
    ]);
  });
});
