import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import type { AnswerEvent } from '../../lambda/events.ts';
import { decoderOf, END, text } from '../fixtures/decoding.ts';

/** What an agent's messages become while the agent goes on, without what only its close would add. */
function readBeforeClose(messages: readonly unknown[], options: Partial<DecoderOptions> = {}): AnswerEvent[] {
  const decoder = decoderOf({ framing: 'json', structured: 'drop', ...options });
  return messages
    .map((message) => (typeof message === 'string' ? message : JSON.stringify(message)))
    .flatMap((message) => decoder.decode(Buffer.from(message), false));
}

describe('an agent whose text looks like an end', () => {
  const likeEnds = [
    '[DONE]',
    '{"type":"done","text":"of mine"}',
    '{"event":"complete","text":"of mine"}',
    '{"done":true}',
  ];

  test.each(likeEnds)('goes on behind %s where only its own marker ends an answer', (likeEnd) => {
    const messages = [likeEnd, '{"chunk":"more"}', '{"type":"bye"}', '{"chunk":"late"}'];

    const events = readBeforeClose(messages, { ends: 'marker', endMarker: 'bye' });

    expect(events.slice(-2)).toEqual([text('more'), END]);
  });

  test.each([...likeEnds, '{"type":"bye"}'])('goes on behind %s where only the close ends one', (likeEnd) => {
    const events = readBeforeClose([likeEnd, '{"chunk":"more"}'], { ends: 'close', endMarker: 'bye' });

    expect(events.at(-1)).toEqual(text('more'));
  });

  test.each(['marker', 'close'] as const)('goes on behind an event named as an end (%s)', (ends) => {
    const messages = ['event: done\ndata: "a"\n\n', 'event: end\ndata: {"text":"b"}\n\n'];

    expect(readBeforeClose(messages, { framing: 'sse', ends })).toEqual([text('a'), text('b')]);
  });

  test('has its text in [DONE], and its answer at the close', () => {
    const decoder = decoderOf({ framing: 'json', ends: 'close' });

    expect(decoder.decode(Buffer.from('[DONE]'), false)).toEqual([text('[DONE]')]);
    expect(decoder.close()).toEqual([END]);
  });

  test('fails in its own words all the same', () => {
    const events = readBeforeClose(['{"type":"error","message":"boom"}'], { ends: 'close' });

    expect(events).toMatchObject([{ type: 'failure', agentError: { message: 'boom' } }]);
  });
});

describe('the mark of the end', () => {
  test('may have white space around it', () => {
    expect(readBeforeClose([' [DONE]\r\n'])).toEqual([END]);
  });

  test('is text within a longer document', () => {
    expect(readBeforeClose(['[DONE] and dusted'])).toEqual([text('[DONE] and dusted')]);
  });

  test('may be the name of an event around a bare text, which is the last', () => {
    expect(readBeforeClose(['event: done\ndata: bye\n\n'], { framing: 'sse' })).toEqual([text('bye'), END]);
  });
});

describe('done: true', () => {
  test.each([
    ['a count', { done: true, steps: 3 }],
    ['an empty text of a key that is not known', { done: true, finish_reason: '' }],
    ['what is not there', { done: true, finish_reason: null }],
    ['usage', { done: true, usage: { tokens: 3 } }],
    ['a text at its path', { done: true, step: 3, message: { text: 'bye' } }],
  ])('ends the answer beside %s', (_what, message) => {
    expect(readBeforeClose([message], { textPath: 'message.text' }).at(-1)).toEqual(END);
  });

  test.each([
    ['the name of another thing', { done: true, name: 'validate' }],
    ['a text that lies deeper', { done: true, detail: { of: ['', 'validate'] } }],
    ['a step', { done: true, step: 1 }],
    ['a tool', { done: true, tool: null }],
    ['a task', { done: true, task: 1, text: 'a' }],
    ['a phase', { done: true, phase: 1 }],
  ])('ends only a part beside %s', (_what, message) => {
    expect(readBeforeClose([message, '{"chunk":"more"}'])).toEqual([text('more')]);
  });
});

test('an end that says the model called a tool is one all the same, but for Strands Bidi’s', () => {
  expect(readBeforeClose([{ type: 'done', stop_reason: 'tool_use' }])).toEqual([END]);
});

describe('what an end message brings along', () => {
  const usage = { inputTokens: 1, outputTokens: 2 };

  test('is usage, too, in front of the end and behind its text', () => {
    expect(readBeforeClose([{ type: 'done', usage }])).toEqual([{ type: 'usage', ...usage }, END]);
    expect(readBeforeClose([{ type: 'done', text: 'bye', usage }])).toEqual([
      text('bye'),
      { type: 'usage', ...usage },
      END,
    ]);
  });

  test('is a result, in front of the usage', () => {
    const message = { type: 'done', files: ['a'], usage };

    expect(readBeforeClose([message], { structured: 'event' })).toEqual([
      { type: 'data', name: 'done', value: message, raw: JSON.stringify(message) },
      { type: 'usage', ...usage },
      END,
    ]);
  });

  test.each<object>([
    { type: 'done', usage, metadata: { took: 5 } },
    { type: 'done', result: {} },
    { type: 'done', result: [] },
    { type: 'done', result: null },
    { type: 'done', reason: 'stop' },
  ])('is no result: %j', (message) => {
    const events = readBeforeClose([message], { structured: 'event' });

    expect(events.filter(({ type }) => type !== 'usage')).toEqual([END]);
  });

  test('is the text at its path alone, where text has a path', () => {
    const read = (message: object) => readBeforeClose([message], { textPath: 'answer' });

    expect(read({ type: 'done', answer: 'bye', text: 'of a step' })).toEqual([text('bye'), END]);
    expect(read({ type: 'done', text: 'of a step' })).toEqual([END]);
  });

  test('is text beside any other keys', () => {
    expect(readBeforeClose([{ type: 'done', id: 7, score: 1, content: 'bye' }])).toEqual([text('bye'), END]);
  });
});
