import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import type { AnswerEvent } from '../../lambda/events.ts';
import { decodeAll, decoderOf, END, failure, shownOf, text } from '../fixtures/decoding.ts';

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

describe('[DONE] behind an end of another form', () => {
  test.each<[string, boolean, string[]]>([
    ['that is not there', false, ['{"chunk":"a"}', '{"type":"done"}']],
    ['that is the end', true, ['{"chunk":"a"}', '[DONE]']],
    ['of plain text', true, ['a', '[DONE]']],
    ['in a message of its own', true, ['{"chunk":"a"}', '{"type":"done"}', '[DONE]']],
    ['in the same message', true, ['data: {"type":"done"}\n\ndata: [DONE]\n\n']],
  ])('%s: it is known whether it is still to come', (_where, isMarked, messages) => {
    const decoder = decoderOf();

    expect(shownOf(messages, decoder).at(-1)).toEqual(END);

    expect([decoder.isMarked, decoder.hasSurplus]).toEqual([isMarked, false]);
  });

  test.each(['[DONE]', '[DONE]\n', 'data: [DONE]\n\n', 'data:[DONE]'])(
    '%j that came too late ends no later answer, and a second one does',
    (mark) => {
      const options = { followsUnmarked: true };

      expect(decodeAll([mark, '{"chunk":"a"}', '[DONE]'], options)).toEqual([text('a'), END]);
      expect(decodeAll([mark, '[DONE]'], options)).toEqual([END]);
    },
  );
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
