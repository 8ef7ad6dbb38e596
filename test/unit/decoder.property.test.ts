import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Decoder, DecoderOptions } from '../../lambda/answer/decoder.ts';
import { DIALECTS, type DialectName } from '../../lambda/dialects/dialects.ts';
import { type AnswerEvent, isEnd } from '../../lambda/events.ts';
import { cutAt, cuts, FUZZ, tokens, wellFormedTokens } from '../fixtures/arbitraries.ts';
import { decoderOf as decoderWith, shownOf } from '../fixtures/decoding.ts';

const NAMES = Object.keys(DIALECTS) as DialectName[];

const LINE_ENDS = ['\n', '\r\n', '\r'] as const;
const lineEnd = fc.constantFrom(...LINE_ENDS);

function decoderOf(framing: DecoderOptions['framing'], options: Partial<DecoderOptions> = {}): Decoder {
  return decoderWith({ framing, ...options });
}

function decodeAll(decoder: Decoder, messages: (string | Uint8Array)[]): AnswerEvent[] {
  return shownOf(messages, decoder);
}

/** The text, provided that there is nothing but text. */
function textOf(items: AnswerEvent[]): string {
  return items.map((item) => (item.type === 'text' ? item.text : `<${JSON.stringify(item)}>`)).join('');
}

/** Generous: what could be another framing to anybody. */
function startsAnotherFraming(list: string[]): boolean {
  const first = (list.find((text) => text !== '') ?? '').replace(/^\ufeff/, '');
  return /^(data|event|id|retry)?:|^\s*["{[]/.test(first);
}

/** Its first event would be taken for one that was framed twice. */
function looksFramed(list: string[]): boolean {
  return list[0]?.startsWith('data:') === true;
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
          fc.pre(!looksFramed(list));
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
          fc.pre(!looksFramed(list));
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
        fc.pre(!looksFramed(list));
        const body = list.map((text) => `data: ${JSON.stringify(text)}${newline}${newline}`).join('');

        const items = decodeAll(
          decoderOf('sse', { bodyType: 'text/event-stream' }),
          cutAt(Buffer.from(body), where),
        );

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
  const framing = fc.constantFrom<DecoderOptions['framing'][]>('auto', 'text', 'sse', 'json', 'ndjson');
  const options = fc.record(
    {
      structured: fc.constantFrom<DecoderOptions['structured'][]>('pass', 'drop', 'event'),
      endMarker: fc.constantFrom('message_stop', '__proto__', ''),
      textPath: fc.constantFrom('text', 'a.b', '__proto__.x', 'constructor.name', '.', ''),
      maxDocumentLength: fc.constantFrom(10, 1000),
      bodyType: fc.constantFrom(
        'text/plain',
        'text/event-stream',
        'application/json',
        'application/x-ndjson',
      ),
      ends: fc.constantFrom<('marker' | 'close')[]>('marker', 'close'),
      dialect: fc.constantFrom<DecoderOptions['dialect'][]>('auto', ...NAMES),
    },
    { requiredKeys: ['structured', 'dialect'] },
  );
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

  test('decoding never throws, and nothing follows an end', () => {
    fc.assert(
      fc.property(
        framing,
        options,
        fc.array(fc.tuple(bytes, fc.boolean()), { maxLength: 8 }),
        (chosen, entry, messages) => {
          const decoder = decoderOf(chosen, entry);

          const items = [
            ...messages.flatMap(([message, isBinary]) => decoder.decode(Buffer.from(message), isBinary)),
            ...decoder.close(),
          ];

          expect(items.slice(0, -1).some(isEnd)).toBe(false);
          for (const item of items) {
            if (item.type === 'text') expect(item.text).not.toBe('');
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
