import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createDecoder,
  type Decoder,
  type DecoderOptions,
  type Item,
} from '../../lambda/agentcore/frames.ts';
import { cutAt, cuts, FUZZ, tokens, wellFormedTokens } from '../fixtures/arbitraries.ts';

const LINE_ENDS = ['\n', '\r\n', '\r'] as const;
const lineEnd = fc.constantFrom(...LINE_ENDS);

function decoderOf(framing: DecoderOptions['framing'], options: Partial<DecoderOptions> = {}): Decoder {
  return createDecoder({ framing, structured: 'pass', ...options });
}

function decodeAll(decoder: Decoder, messages: (string | Uint8Array)[]): Item[] {
  const items = messages.flatMap((message) =>
    typeof message === 'string'
      ? decoder.decode(Buffer.from(message), false)
      : decoder.decode(Buffer.from(message), true),
  );
  return [...items, ...decoder.flush()];
}

/** The text, provided that there is nothing but text. */
function textOf(items: Item[]): string {
  return items.map((item) => (item.type === 'chunk' ? item.text : `<${JSON.stringify(item)}>`)).join('');
}

function startsAnotherFraming(list: string[]): boolean {
  const first = list.find((text) => text !== '') ?? '';
  if (/^(data|event|id|retry):/.test(first)) return true;
  try {
    const value: unknown = JSON.parse(first);
    return (
      typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value))
    );
  } catch {
    return false;
  }
}

const withoutDone = wellFormedTokens.map((list) => list.filter((text) => text !== '[DONE]'));

describe('any list of tokens comes out as its concatenation', () => {
  test('text: one message each, verbatim', () => {
    fc.assert(
      fc.property(withoutDone, (list) => {
        expect(textOf(decodeAll(decoderOf('text'), list))).toBe(list.join(''));
      }),
      FUZZ,
    );
  });

  test.each(['json', 'auto'] as const)('%s: one JSON string each', (framing) => {
    fc.assert(
      fc.property(tokens, (list) => {
        const messages = list.map((text) => JSON.stringify(text));

        expect(textOf(decodeAll(decoderOf(framing), messages))).toBe(list.join(''));
      }),
      FUZZ,
    );
  });

  test.each(['json', 'auto'] as const)('%s: one {"chunk"} object each', (framing) => {
    fc.assert(
      fc.property(tokens, fc.constantFrom('chunk', 'text', 'content', 'delta', 'data'), (list, key) => {
        const messages = list.map((text, index) => JSON.stringify({ type: 'delta', index, [key]: text }));

        expect(textOf(decodeAll(decoderOf(framing), messages))).toBe(list.join(''));
      }),
      FUZZ,
    );
  });

  test.each(['sse', 'auto'] as const)(
    '%s: one event each, ending as every message of the list does',
    (framing) => {
      const ending = fc.oneof(
        fc.constant(''),
        lineEnd,
        fc.tuple(lineEnd, lineEnd).map(([a, b]) => a + b),
      );
      fc.assert(
        fc.property(tokens, ending, (list, end) => {
          const messages = list.map((text) => `data: ${JSON.stringify(text)}${end}`);

          expect(textOf(decodeAll(decoderOf(framing), messages))).toBe(list.join(''));
        }),
        FUZZ,
      );
    },
  );

  test.each(['sse', 'auto'] as const)(
    '%s: the first message ends with a blank line, the others are cut anywhere',
    (framing) => {
      fc.assert(
        fc.property(tokens, fc.constantFrom('\n', '\r\n'), cuts, (list, newline, where) => {
          const [first = '', ...others] = list.map(
            (text) => `data: ${JSON.stringify(text)}${newline}${newline}`,
          );
          const pieces = cutAt(Buffer.from(others.join('')), where);

          const items = decodeAll(decoderOf(framing), [Buffer.from(first), ...pieces]);

          expect(textOf(items)).toBe(list.join(''));
        }),
        FUZZ,
      );
    },
  );

  test('an SSE body: cut anywhere from its first byte on', () => {
    fc.assert(
      fc.property(tokens, fc.constantFrom('\n', '\r\n'), cuts, (list, newline, where) => {
        const body = list.map((text) => `data: ${JSON.stringify(text)}${newline}${newline}`).join('');

        const items = decodeAll(decoderOf('sse', { body: true }), cutAt(Buffer.from(body), where));

        expect(textOf(items)).toBe(list.join(''));
      }),
      FUZZ,
    );
  });

  test('auto: verbatim, for every list that does not make it choose another framing', () => {
    fc.assert(
      fc.property(withoutDone, (list) => {
        fc.pre(!startsAnotherFraming(list));

        expect(textOf(decodeAll(decoderOf('auto'), list))).toBe(list.join(''));
      }),
      FUZZ,
    );
  });

  test.each(['text', 'auto'] as const)('%s: binary messages cut inside characters', (framing) => {
    fc.assert(
      fc.property(withoutDone, cuts, (list, where) => {
        const sent = list.join('');
        const pieces = cutAt(Buffer.from(sent), where);
        const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
        const heard = pieces.map((piece) => decoder.decode(piece, { stream: true }));
        fc.pre(!startsAnotherFraming(heard) && !heard.includes('[DONE]') && !startsAnotherFraming([sent]));

        expect(textOf(decodeAll(decoderOf(framing), pieces))).toBe(sent);
      }),
      FUZZ,
    );
  });
});

describe('whatever the bytes', () => {
  const framing = fc.constantFrom<DecoderOptions['framing'][]>('auto', 'text', 'sse', 'json');
  const options = fc.record({
    structured: fc.constantFrom<DecoderOptions['structured'][]>('pass', 'drop'),
    endMarker: fc.constantFrom('message_stop', '__proto__', ''),
    textPath: fc.constantFrom('text', 'a.b', '__proto__.x', 'constructor.name', '.', ''),
    maxEventLength: fc.constantFrom(10, 1000),
    body: fc.boolean(),
  });
  const anyJson = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    anyJson,
    wellFormedTokens.map((list) => Buffer.from(list.join(''))),
    fc
      .record({
        type: fc.jsonValue(),
        error: fc.jsonValue(),
        delta: fc.jsonValue(),
        done: fc.jsonValue(),
        text: fc.jsonValue(),
      })
      .map((value) => Buffer.from(JSON.stringify(value))),
  );

  test('decoding never throws, and an item is one of four', () => {
    fc.assert(
      fc.property(
        framing,
        options,
        fc.array(fc.tuple(bytes, fc.boolean()), { maxLength: 8 }),
        (chosen, entry, messages) => {
          const decoder = decoderOf(chosen, entry);

          const items = [
            ...messages.flatMap(([message, isBinary]) => decoder.decode(Buffer.from(message), isBinary)),
            ...decoder.flush(),
          ];

          for (const item of items) {
            expect(['chunk', 'end', 'failure', 'malformed']).toContain(item.type);
            if (item.type === 'chunk') expect(item.text).not.toBe('');
            if (item.type === 'failure') {
              expect(item.agentError.message.length).toBeLessThanOrEqual(2000);
              expect(item.agentError.message.isWellFormed()).toBe(true);
            }
          }
        },
      ),
      FUZZ,
    );
  });

  test('bytes of one message give the same text whether text or binary', () => {
    fc.assert(
      fc.property(framing, wellFormedTokens, (chosen, list) => {
        const asText = decodeAll(decoderOf(chosen), list);
        const asBinary = decodeAll(
          decoderOf(chosen),
          list.map((text) => Buffer.from(text)),
        );

        expect(asBinary).toEqual(asText);
      }),
      FUZZ,
    );
  });
});
