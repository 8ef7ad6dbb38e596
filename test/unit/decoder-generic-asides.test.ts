import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import type { AnswerEvent } from '../../lambda/events.ts';
import { decoderOf, text } from '../fixtures/decoding.ts';

/** What one message of an agent without a framework becomes. */
function read(message: unknown, options: Partial<DecoderOptions> = {}): AnswerEvent[] {
  const sent = Buffer.from(JSON.stringify(message));
  return decoderOf({ framing: 'json', dialect: 'generic', ...options }).decode(sent, false);
}

const dataOf = (message: object, name?: string) => ({
  type: 'data',
  ...(name !== undefined && { name }),
  value: message,
  raw: JSON.stringify(message),
});

describe('what says by its type that it is reasoning', () => {
  test.each(['reasoning', 'thinking', 'thought', 'REASONING_DELTA', 'modelThinking', 'agent.thought.1'])(
    '%s is the reasoning of the model, and no text',
    (type) => {
      expect(read({ type, text: 'hm' })).toEqual([{ type: 'reasoning', text: 'hm' }]);
      expect(read({ event: type, delta: { text: 'hm' } })).toEqual([{ type: 'reasoning', text: 'hm' }]);
    },
  );

  test('is nothing when it is empty', () => {
    expect(read({ type: 'reasoning', text: '' })).toEqual([]);
  });

  test('has its words at the path of text, where text has one', () => {
    const message = { type: 'thinking', step: 3, message: { text: 'hm' } };

    expect(read(message, { textPath: 'message.text' })).toEqual([{ type: 'reasoning', text: 'hm' }]);
  });

  test('is data when it holds no words', () => {
    const message = { type: 'reasoning', signature: 5 };

    expect(read(message)).toEqual([dataOf(message, 'reasoning')]);
    expect(read(message, { textPath: 'text' })).toEqual([dataOf(message, 'reasoning')]);
    expect(read(message, { structured: 'drop' })).toEqual([]);
  });

  test('is reasoning even if it is also about a tool', () => {
    expect(read({ type: 'tool_thinking', text: 'hm' })).toEqual([{ type: 'reasoning', text: 'hm' }]);
  });
});

describe('what says by its type that it is no text', () => {
  test.each([
    'tool',
    'tools',
    'step',
    'status',
    'usage',
    'metadata',
    'source',
    'sources',
    'toolUse',
    'tool-use',
    'TOOL_USE',
    'myTool',
    'agent.step.started',
  ])('%s is data, never shown as text', (type) => {
    const message = { type, text: 'of a tool' };

    expect(read(message)).toEqual([dataOf(message, type)]);
    expect(read(message, { structured: 'event' })).toEqual([dataOf(message, type)]);
    expect(read(message, { structured: 'drop' })).toEqual([]);
  });

  test.each(['toolbox', 'footstep', 'resource', 'statuses', 'afterthought', 'TOOLBOX'])(
    'a word that only contains such a word says nothing: %s',
    (type) => {
      expect(read({ type, text: 'a' })).toEqual([text('a')]);
    },
  );

  test.each([[['tool']], [{ tool: 1 }], [7], [true]])('a type that is no string says nothing: %j', (type) => {
    expect(read({ type, text: 'a' })).toEqual([text('a')]);
  });

  test('says nothing where text has a path, and the path leads to text', () => {
    expect(read({ type: 'tool_use', text: 'a' }, { textPath: 'text' })).toEqual([text('a')]);
  });

  test('is shown like any other data where text has a path, and there is none', () => {
    const message = { type: 'tool_use', name: 'x' };

    expect(read(message, { textPath: 'text' })).toEqual([{ ...dataOf(message, 'tool_use'), inline: true }]);
  });

  test.each([
    { type: 'usage', inputTokens: 1, outputTokens: 2 },
    { type: 'metadata', usage: { inputTokens: 1, outputTokens: 2 }, inputTokens: 9 },
  ])('is usage when it counts tokens: %j', (message) => {
    expect(read(message)).toEqual([{ type: 'usage', inputTokens: 1, outputTokens: 2 }]);
    expect(read(message, { structured: 'drop' })).toEqual([
      { type: 'usage', inputTokens: 1, outputTokens: 2 },
    ]);
  });
});

describe('structured data', () => {
  test.each<[string, object, string | undefined]>([
    ['by its type', { type: 'plan', tasks: 1 }, 'plan'],
    ['by its event', { event: 'plan', tasks: 1 }, 'plan'],
    ['by its type in front of its event', { type: 'plan', event: 'x', tasks: 1 }, 'plan'],
    ['not by a type that is no string', { type: 7, tasks: 1 }, undefined],
    ['not where it has none', { tasks: 1 }, undefined],
    ['not in a list', [{ type: 'plan' }], undefined],
  ])('is an event of its own with `event`, named %s', (_how, message, name) => {
    expect(read(message, { structured: 'event' })).toEqual([dataOf(message, name)]);
  });

  test('is shown within the text with `pass`', () => {
    expect(read({ a: 1 })).toEqual([{ ...dataOf({ a: 1 }), inline: true }]);
  });
});

describe('the path of text', () => {
  test.each<[string, object, string | string[], string]>([
    ['the first of several that leads to one', { b: 'b', c: 'c' }, ['a', 'b', 'c'], 'b'],
    ['a list of blocks', { content: [{ type: 'text', text: 'a' }, { text: 'b' }] }, 'content', 'ab'],
  ])('may lead to %s', (_where, message, textPath, found) => {
    expect(read(message, { textPath, structured: 'drop' })).toEqual([text(found)]);
  });

  test.each<[string, object, string | string[]]>([
    ['within a string', { text: 'abc' }, 'text.0'],
    ['behind what is not there', { message: null }, 'message.text'],
    ['of a list without text', { content: [{ type: 'image' }] }, 'content'],
    ['of an object', { message: { text: 'a' } }, 'message'],
    ['of none of several', { text: 'a' }, ['b', 'c']],
  ])('finds no text %s', (_where, message, textPath) => {
    expect(read(message, { textPath, structured: 'drop' })).toEqual([]);
  });

  test('leaves out and counts bare strings, which are the repr of what is no JSON', () => {
    const lengths: number[] = [];
    const onLeftOut = (length: number) => lengths.push(length);

    expect(read("{'a': 1}", { textPath: 'text', onLeftOut })).toEqual([]);
    expect(lengths).toEqual([8]);
  });
});

describe('the text key `delta`', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['a list', ['a']],
    ['an object of more than text', { text: 'a', score: 1 }],
    ['an object without text', { score: 1 }],
    ['an object whose text is none', { text: 5 }],
    ['an empty object', {}],
  ])('holds no text when it is %s', (_what, delta) => {
    expect(read({ delta }, { structured: 'drop' })).toEqual([]);
  });

  test.each(['chunk', 'text', 'content', 'data'])(
    'is the only one that may hold an object: not %s',
    (key) => {
      expect(read({ [key]: { text: 'a' } }, { structured: 'drop' })).toEqual([]);
    },
  );

  test('holds text beside an envelope of its own', () => {
    expect(read({ delta: { type: 'text_delta', index: 0, text: 'a' } })).toEqual([text('a')]);
  });
});

describe('an error', () => {
  test.each<object>([{ error: 0 }, { error: false }, { error: [] }, { error_type: 'E', message: 'boom' }])(
    'is none when it is empty, or not there: %j',
    (message) => {
      expect(read(message, { structured: 'event' })).toEqual([dataOf(message)]);
    },
  );

  test.each<object>([
    { error: 42 },
    { error: ['boom'] },
    { error: 'boom', done: true },
    { event: 'error', message: 'boom' },
  ])('is a failure: %j', (message) => {
    expect(read(message)).toMatchObject([{ type: 'failure' }]);
  });
});
