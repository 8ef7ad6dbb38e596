import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import { decoderOf, END, eventsOf, text } from '../fixtures/decoding.ts';

const DONE = 'data: {"type":"done"}\n\n';

describe('what stands behind the end of an answer', () => {
  test.each<[string, boolean, (string | Uint8Array)[]]>([
    ['a chunk', true, [`${DONE}data: "late"\n\n`]],
    ['a chunk in a later message', true, [DONE, 'data: "late"\n\n']],
    ['another end of the agent’s own', true, [`${DONE}data: {"type":"done"}\n\n`]],
    ['an event of another name', true, [`${DONE}event: message\ndata: {}\n\n`]],
    ['a document over the limit', true, ['data: "a"\n\n', `${DONE}data: ${'x'.repeat(60)}`]],
    ['bytes that are not UTF-8', true, [Buffer.from(DONE), Uint8Array.of(0xff)]],
    [
      'bytes that are not UTF-8, in the same message',
      true,
      [Buffer.from([...Buffer.from(DONE), 0xff, 0x62])],
    ],
    ['half a character', true, [Buffer.from(DONE), Uint8Array.of(0xc3)]],
    ['a chunk before a mark', true, ['data: "a"\n\n', `${DONE}data: "late"\n\ndata: [DONE]\n\n`]],
    ['plain text', true, ['a', '[DONE]', 'b', '[DONE]']],
    ['a mark', false, [`${DONE}data: [DONE]\n\n`]],
    ['a mark in plain text', false, ['a', '[DONE]', ' [DONE]\n']],
    ['an event named done', false, [`${DONE}event: done\ndata: {}\n\n`]],
    ['an event named end', false, [`${DONE}event: end\ndata: {}\n\n`]],
    ['an event without data', false, [`${DONE}data:\n\n`]],
    ['a comment', false, [`${DONE}: keep-alive\n\n`]],
    ['nothing', false, [DONE, '']],
  ])(
    'is no event, and it is known whether it may belong to another answer: %s',
    (_what, surplus, messages) => {
      const decoder = decoderOf({ maxDocumentLength: 50 });

      const events = eventsOf(messages, decoder);

      expect(events.filter((event) => event.type !== 'text' || event.text !== 'a')).toEqual([END]);
      expect(decoder.hasSurplus).toBe(surplus);
    },
  );

  test.each<[string, string[]]>([
    ['a document over the limit', ['data: "a"\n\n', `${DONE}data: ${'x'.repeat(60)}`]],
    ['an event named done', [`${DONE}event: done\ndata: {}\n\n`]],
    ['a chunk', [`${DONE}data: "late"\n\n`, 'later']],
    ['the close behind plain text', ['a', 'b']],
  ])('is no mark when it is %s', (_what, messages) => {
    const decoder = decoderOf({ maxDocumentLength: 50 });

    eventsOf(messages, decoder);

    expect(decoder.isMarked).toBe(false);
  });

  test('is nothing where the answer ends with bytes that are not UTF-8', () => {
    const decoder = decoderOf();

    eventsOf([Uint8Array.of(0x61, 0xff)], decoder);

    expect(decoder.hasSurplus).toBe(false);
  });

  test('is a mark also behind a chunk that came too late', () => {
    const decoder = decoderOf();

    eventsOf([DONE, 'data: "late"\n\n', 'data: [DONE]\n\n', 'data: "later"\n\n'], decoder);

    expect([decoder.isMarked, decoder.hasSurplus]).toEqual([false, true]);
  });
});

describe('an agent whose documents are text whatever they look like', () => {
  test.each<[string, Partial<DecoderOptions>, string]>([
    ['messages', { framing: 'text' }, '[DONE]'],
    ['events', { framing: 'sse' }, 'data: [DONE]\n\n'],
  ])('has [DONE] as text: %s', (_what, options, message) => {
    const decoder = decoderOf({ dialect: 'text', ...options });

    expect(decoder.decode(Buffer.from(message), false)).toEqual([text('[DONE]')]);
    expect(decoder.isMarked).toBe(false);
    expect(decoder.close()).toEqual([END]);
  });
});
