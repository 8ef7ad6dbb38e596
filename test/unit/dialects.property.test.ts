import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DIALECTS, type DialectName } from '../../lambda/dialects/dialects.ts';
import { type AnswerEvent, isEnd } from '../../lambda/events.ts';
import { cutAt, cuts, FUZZ, tokens } from '../fixtures/arbitraries.ts';
import { decoderOf, eventsOf } from '../fixtures/decoding.ts';
import type { FrameworkName } from '../fixtures/frameworks.ts';
import { RECORDED_ANSWERS } from '../fixtures/recorded-answers.ts';

/** What one token of text looks like in each dialect. */
const TOKENS: Record<FrameworkName, Record<string, (text: string) => unknown>> = {
  strands: {
    python: (text) => ({ event: { contentBlockDelta: { delta: { text }, contentBlockIndex: 0 } } }),
    callback: (data) => ({ data, delta: { text: data } }),
    typescript: (text) => ({
      type: 'modelStreamUpdateEvent',
      event: { type: 'modelContentBlockDeltaEvent', delta: { type: 'textDelta', text } },
    }),
  },
  langgraph: {
    chunk: (content) => ({ type: 'AIMessageChunk', content }),
    blocks: (text) => [
      { type: 'AIMessageChunk', content: [{ type: 'text', text }] },
      { langgraph_node: 'a' },
    ],
    javascript: (content) => ['messages', [{ lc: 1, id: ['AIMessageChunk'], kwargs: { content } }, {}]],
  },
  'ag-ui': { content: (delta) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta }) },
  'ui-message-stream': {
    part: (delta) => ({ type: 'text-delta', id: '0', delta }),
    full: (text) => ({ type: 'text-delta', id: '0', text }),
  },
  openai: {
    chat: (content) => ({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] }),
    responses: (delta) => ({ type: 'response.output_text.delta', delta, sequence_number: 1 }),
  },
  anthropic: {
    messages: (text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    converse: (text) => ({ contentBlockDelta: { delta: { text }, contentBlockIndex: 0 } }),
  },
  adk: {
    partial: (text) => ({ author: 'a', invocationId: 'i', partial: true, content: { parts: [{ text }] } }),
  },
  llamaindex: {
    dumped: (delta) => ({ delta, response: delta, current_agent_name: 'A' }),
    named: (delta) => ({ event: 'agent_stream', delta, response: delta }),
  },
};
const forms = Object.entries(TOKENS).flatMap(([dialect, named]) =>
  Object.entries(named).map(([form, write]) => ({ dialect: dialect as DialectName, form, write })),
);

const textOf = (events: AnswerEvent[]) =>
  events.map((event) => (event.type === 'text' ? event.text : '')).join('');
const withoutRaw = (events: AnswerEvent[]) =>
  events.map((event) => (event.type === 'data' ? { ...event, raw: '' } : event));

describe('text out is the concatenation of text in', () => {
  test.each(forms)('$dialect, $form', ({ dialect, write }) => {
    fc.assert(
      fc.property(tokens, fc.boolean(), (list, isNamed) => {
        const messages = list.map((text) => JSON.stringify(write(text)));

        const events = eventsOf(messages, decoderOf(isNamed ? { dialect } : {}));

        expect(textOf(events)).toBe(list.join(''));
        for (const { type } of events) expect(['text', 'end']).toContain(type);
      }),
      FUZZ,
    );
  });
});

describe('a recorded answer is the same however its bytes are cut', () => {
  const events = RECORDED_ANSWERS.map(({ messages, name }) => {
    const expected = eventsOf(messages, decoderOf());
    return { name, messages, expected: withoutRaw(expected) };
  });
  const FEWER = { numRuns: Math.ceil(FUZZ.numRuns / 20) };

  test.each(events)('$name, a body of server-sent events', ({ messages, expected }) => {
    const body = Buffer.from(messages.map((message) => `data: ${message}\n\n`).join(''));
    fc.assert(
      fc.property(cuts, (where) => {
        const decoder = decoderOf({ bodyType: 'text/event-stream' });

        expect(withoutRaw(eventsOf(cutAt(body, where), decoder))).toEqual(expected);
      }),
      FEWER,
    );
  });

  test.each(events)('$name, a body of lines', ({ messages, expected }) => {
    const body = Buffer.from(`${messages.join('\n')}\n`);
    fc.assert(
      fc.property(cuts, (where) => {
        const decoder = decoderOf({ bodyType: 'application/x-ndjson' });

        expect(withoutRaw(eventsOf(cutAt(body, where), decoder))).toEqual(expected);
      }),
      FEWER,
    );
  });

  test.each(events)('$name, binary messages behind a first whole event', ({ messages, expected }) => {
    const [first = '', ...others] = messages.map((message) => `data: ${message}\n\n`);
    fc.assert(
      fc.property(cuts, (where) => {
        const pieces = [Buffer.from(first), ...cutAt(Buffer.from(others.join('')), where)];

        expect(withoutRaw(eventsOf(pieces, decoderOf()))).toEqual(expected);
      }),
      FEWER,
    );
  });
});

describe('a run that was cut is not complete', () => {
  const runs = RECORDED_ANSWERS.filter(
    ({ dialect }) => dialect === 'ag-ui' || dialect === 'ui-message-stream',
  );

  test.each(runs)('$name, closed in good order between any two messages', ({ messages }) => {
    const whole = decoderOf();
    const end = messages.findIndex((message) => whole.decode(Buffer.from(message), false).some(isEnd));

    for (let count = 2; count <= (end < 0 ? messages.length : end); count += 1) {
      const read = eventsOf(messages.slice(0, count), decoderOf());

      expect(read.some(isEnd)).toBe(false);
    }
  });
});

describe('whatever an agent of a framework sends', () => {
  const document = fc.constantFrom(...new Set(RECORDED_ANSWERS.flatMap(({ messages }) => messages)));
  /** A recorded document in which some values are others. */
  const bent = fc
    .tuple(document, fc.array(fc.tuple(fc.nat(), fc.jsonValue({ maxDepth: 2 })), { maxLength: 4 }))
    .map(([text, changes]) => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        return text;
      }
      for (const [where, other] of changes) bend(value, where, other);
      return JSON.stringify(value) ?? 'null';
    });
  const dialect = fc.constantFrom<(DialectName | 'auto')[]>(
    'auto',
    ...(Object.keys(DIALECTS) as DialectName[]),
  );
  const structured = fc.constantFrom<('pass' | 'drop' | 'event')[]>('pass', 'drop', 'event');

  test('nothing throws, nothing follows an end, no text is empty and no input is outside of its call', () => {
    fc.assert(
      fc.property(
        dialect,
        structured,
        fc.array(fc.oneof(document, bent), { maxLength: 12 }),
        (name, kind, messages) => {
          const events = eventsOf(messages, decoderOf({ dialect: name, structured: kind }));

          const open = new Set<string>();
          expect(events.slice(0, -1).some(isEnd)).toBe(false);
          for (const event of events) {
            if (event.type === 'text' || event.type === 'reasoning') expect(event.text).not.toBe('');
            if (event.type === 'data' && name !== 'auto' && name !== 'generic') {
              expect(event.inline).toBeUndefined();
            }
            if (event.type === 'toolCall') open.add(event.id);
            if (event.type === 'toolInput') expect(open.has(event.id)).toBe(true);
            if (event.type === 'toolCallEnd') expect(open.delete(event.id)).toBe(true);
            if (event.type === 'toolResult') expect(open.has(event.id)).toBe(false);
            if (event.type === 'interrupt') expect(typeof event.id).toBe('string');
          }
        },
      ),
      { numRuns: FUZZ.numRuns * 3 },
    );
  });
});

/** Puts another value in the place of one of those that a value holds. */
function bend(value: unknown, where: number, other: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (holder: unknown): void => {
    if (typeof holder !== 'object' || holder === null) return;
    for (const key of Object.keys(holder)) {
      places.push([holder as Record<string, unknown>, key]);
      visit((holder as Record<string, unknown>)[key]);
    }
  };
  visit(value);
  const place = places[where % Math.max(1, places.length)];
  if (place) place[0][place[1]] = other;
}
