import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import type { AnswerEvent } from '../../lambda/events.ts';
import { decoderOf, shownOf } from '../fixtures/decoding.ts';

const END: AnswerEvent = { type: 'end' };
const text = (value: string): AnswerEvent => ({ type: 'text', text: value });
const failure = (agentError: object): object => ({ type: 'failure', agentError });

function decodeAll(messages: (string | Uint8Array)[], options: Partial<DecoderOptions> = {}): AnswerEvent[] {
  return shownOf(messages, decoderOf(options));
}

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

  test('an event may span messages when the first message ended with a blank line', () => {
    const messages = ['data: "a"\n\n', 'da', 'ta: "b', '"\n', '\n', 'data: "c"\r\n\r', '\ndata: "d"\n\n'];

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

describe('the agents of the field', () => {
  test.each<[string, string[], AnswerEvent[], Partial<DecoderOptions>?]>([
    [
      'AG-UI',
      [
        '{"type":"RUN_STARTED","threadId":"t","runId":"r"}',
        '{"type":"TEXT_MESSAGE_START","messageId":"m","role":"assistant"}',
        '{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"Hel"}',
        '{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"lo"}',
        '{"type":"TEXT_MESSAGE_END","messageId":"m"}',
        '{"type":"RUN_FINISHED","threadId":"t","runId":"r"}',
      ],
      [text('Hel'), text('lo'), END],
      { structured: 'drop' },
    ],
    [
      'AG-UI, failing',
      [
        '{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"Hel"}',
        '{"type":"RUN_ERROR","message":"boom"}',
      ],
      [text('Hel'), { type: 'failure', agentError: { type: 'RUN_ERROR', message: 'boom' } }],
    ],
    [
      'Strands stream events',
      [
        '{"init_event_loop":true}',
        '{"event":{"messageStart":{"role":"assistant"}}}',
        '{"event":{"contentBlockDelta":{"delta":{"text":"Hel"},"contentBlockIndex":0}}}',
        '{"event":{"contentBlockDelta":{"delta":{"text":"lo"},"contentBlockIndex":0}}}',
        '{"event":{"messageStop":{"stopReason":"end_turn"}}}',
        '{"type":"done"}',
      ],
      [text('Hel'), text('lo'), END],
      { structured: 'drop', textPath: 'event.contentBlockDelta.delta.text' },
    ],
    [
      'Strands Bidi',
      [
        '{"type":"bidi_connection_start","connection_id":"c","model":"m"}',
        '{"type":"bidi_response_start","response_id":"r"}',
        '{"type":"bidi_transcript_stream","delta":{"text":"Hel"},"text":"Hel","role":"assistant","is_final":false}',
        '{"type":"bidi_transcript_stream","delta":{"text":"lo"},"text":"lo","role":"assistant","is_final":true}',
        '{"type":"bidi_usage","inputTokens":1}',
        '{"type":"bidi_response_complete","response_id":"r","stop_reason":"complete"}',
      ],
      [text('Hel'), text('lo'), END],
      { structured: 'drop', textPath: 'text' },
    ],
    [
      'Strands Bidi with a tool: the answer goes on',
      [
        '{"type":"tool_use_stream","current_tool_use":{"name":"t"}}',
        '{"type":"bidi_response_complete","response_id":"r","stop_reason":"tool_use"}',
        '{"type":"bidi_transcript_stream","text":"a"}',
        '{"type":"bidi_response_complete","response_id":"s","stop_reason":"complete"}',
      ],
      [text('a'), END],
      { structured: 'drop' },
    ],
    [
      'Strands Bidi, failing',
      ['{"type":"bidi_error","message":"boom","code":"ModelTimeout","details":null}'],
      [{ type: 'failure', agentError: { type: 'bidi_error', code: 'ModelTimeout', message: 'boom' } }],
    ],
    [
      'stream_chunk and stream_complete of the Python SDK tests',
      [
        '{"type":"stream_chunk","data":"Hel"}',
        '{"type":"stream_chunk","data":"lo"}',
        '{"type":"stream_complete"}',
      ],
      [text('Hel'), text('lo'), END],
    ],
    [
      'chunk and complete',
      ['{"chunk":"Hel"}', '{"chunk":"lo"}', '{"type":"complete"}'],
      [text('Hel'), text('lo'), END],
    ],
    ['chunk and done', ['{"chunk":"Hel"}', '{"chunk":"lo","done":true}'], [text('Hel'), text('lo'), END]],
    [
      'Anthropic events',
      [
        '{"type":"message_start","message":{"id":"m"}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}',
        '{"type":"message_stop"}',
      ],
      [text('Hello'), END],
      { structured: 'drop', endMarker: 'message_stop' },
    ],
    [
      'run_completed and run_failed',
      ['{"type":"text","text":"Hello"}', '{"type":"run_completed"}'],
      [text('Hello'), END],
    ],
    ['the echo that closes', ['{"echo":"Hello"}'], [text('{"echo":"Hello"}')]],
    [
      'a batch of events in an array: structured data',
      ['{"type":"start"}', '[{"type":"delta","text":"a"}]'],
      [text('{"type":"start"}'), text('[{"type":"delta","text":"a"}]')],
    ],
    [
      'a large event in parts: structured data',
      ['{"type":"part","id":"1","n":0,"of":2,"data":"abc"}'],
      [text('{"type":"part","id":"1","n":0,"of":2,"data":"abc"}')],
    ],
    [
      'a Nova Sonic relay',
      ['{"event":{"contentStart":{}}}', '{"event":{"textOutput":{"content":"a"}}}'],
      [text('a')],
      { structured: 'drop', textPath: 'event.textOutput.content' },
    ],
    [
      'chunks in SSE and [DONE]',
      ['data: {"chunk":"Hel"}\n\n', 'data: {"chunk":"lo"}\n\n', 'data: [DONE]\n\n'],
      [text('Hel'), text('lo'), END],
    ],
    ['plain tokens', ['Hel', 'lo', ' ', '\n'], ['Hel', 'lo', ' ', '\n'].map(text)],
    ['plain tokens and [DONE]', ['Hel', 'lo', '[DONE]'], [text('Hel'), text('lo'), END]],
  ])('%s', (_agent, messages, items, options = {}) => {
    expect(decodeAll(messages, options)).toEqual(items);
  });

  test('nothing follows an end, but that something stood behind it is known', () => {
    const late = decoderOf();
    const twice = decoderOf();

    expect(shownOf(['{"type":"done"}', '{"chunk":"late"}'], late)).toEqual([END]);
    expect(shownOf(['{"type":"done"}', '[DONE]'], twice)).toEqual([END]);
    expect([late.hasSurplus, twice.hasSurplus]).toEqual([true, false]);
  });
});

describe('/invocations', () => {
  const sse = (...parts: string[]) =>
    decodeAll(
      parts.map((part) => Buffer.from(part)),
      { framing: 'sse', bodyType: 'text/event-stream' },
    );

  test('the Python SDK: JSON strings in data lines, the end of the body is the end', () => {
    expect(sse('data: "Hel"\n\nda', 'ta: "lo\\n"\n\n')).toEqual([text('Hel'), text('lo\n')]);
  });

  test('the Python SDK: a failure in mid-stream', () => {
    const error = {
      error: 'boom',
      error_type: 'ValueError',
      message: 'An error occurred during streaming',
    };

    expect(sse('data: "a"\n\n', `data: ${JSON.stringify(error)}\n\n`)).toEqual([
      text('a'),
      failure({ type: 'ValueError', message: 'boom' }),
    ]);
  });

  test('the Python SDK: what it could not serialise is structured data', () => {
    const event = '{"error":"Serialization failed","original_type":"Foo"}';

    expect(sse(`data: ${event}\n\n`)).toEqual([text(event)]);
  });

  test('the TypeScript SDK: raw strings, line breaks as several data lines, comments as heartbeat', () => {
    expect(sse('data: Hel\n\n', ': heartbeat\n\n', 'data: lo\ndata: you\n\n')).toEqual([
      text('Hel'),
      text('lo\nyou'),
    ]);
  });

  test('the TypeScript SDK: objects with event, id and data', () => {
    expect(sse('event: message\nid: 1\ndata: {"text":"a"}\n\n')).toEqual([text('a')]);
  });

  test('the TypeScript SDK: a failure, and the end of its older versions', () => {
    expect(sse('event: error\ndata: {"error":"boom"}\n\n')).toEqual([failure({ message: 'boom' })]);
    expect(sse('data: a\n\n', 'event: done\ndata: {}\n\n')).toEqual([text('a'), END]);
  });

  test('an agent that does not stream: one JSON value', () => {
    expect(decodeAll(['"Hello"'], { framing: 'json' })).toEqual([text('Hello')]);
    expect(decodeAll(['{"result":"Hello"}'], { framing: 'json' })).toEqual([text('{"result":"Hello"}')]);
    expect(decodeAll(['{"error":"boom"}'], { framing: 'json' })).toEqual([failure({ message: 'boom' })]);
  });

  test('a body cut after each byte', () => {
    const body = Buffer.from('data: "é🙂"\r\n\r\ndata: "漢"\r\n\r\n');
    const bytes = [...body].map((byte) => Uint8Array.of(byte));

    expect(decodeAll(bytes, { framing: 'sse', bodyType: 'text/event-stream' })).toEqual([
      text('é🙂'),
      text('漢'),
    ]);
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
