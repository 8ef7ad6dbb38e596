import { describe, expect, test } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { cut } from '../../lambda/answer/cut.ts';
import type { AnswerContext, AnswerStats, Protocol } from '../../lambda/answer/protocol.ts';
import { ERROR_CODES } from '../../lambda/contract.ts';
import { StreamError } from '../../lambda/errors.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';
import { AWKWARD_TOKENS, FUZZ, longTokens, token } from '../fixtures/arbitraries.ts';

const START = { sessionId: 's'.repeat(33), agentId: 'mwc', requestId: 'request-1' };
const CONTEXT: AnswerContext = { ...START, sessionReplaced: false };
const MAX_CHUNK_LENGTH = 4096;

/** How an answer ends: complete, or with an error whose words may be anything. */
const ending = fc.option(
  fc
    .record({
      code: fc.constantFrom(...ERROR_CODES),
      message: token,
      promptSent: fc.boolean(),
      agentError: token,
    })
    .map(({ code, message, promptSent, agentError }) =>
      Object.assign(new StreamError(code, message, { details: { agentError: { message: agentError } } }), {
        promptSent,
      }),
    ),
  { nil: undefined },
);

/** Everything that is written of an answer, write by write. */
function writesOf(protocol: Protocol, texts: readonly string[], error: StreamError | undefined): string[] {
  const writer = protocol.createWriter(CONTEXT);
  const chunks = texts.flatMap((text) => writesOfText(protocol, text));
  const stats: AnswerStats = {
    chunks: chunks.length,
    bytes: Buffer.byteLength(texts.join('')),
    durationMs: 1,
  };
  return [writer.open(), ...chunks, error ? writer.fail(error, stats) : writer.done(stats)];
}

/** One text, write by write. */
function writesOfText(protocol: Protocol, text: string): string[] {
  const writer = protocol.createWriter(CONTEXT);
  const pieces = text.length <= protocol.maxTextLength ? [text] : cut(text, protocol.maxTextLength);
  return pieces.map((piece) => writer.event({ type: 'text', text: piece }));
}

/** What the bytes on the wire say: halves of surrogate pairs must have been escaped. */
function overTheWire(text: string): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text));
}

type Event = Record<string, unknown>;

/** Each network read is split at line breaks by itself, and whatever does not parse is lost. */
function readAsSplittingClient(reads: readonly string[]): { text: string; done: boolean; error: unknown } {
  let text = '';
  for (const read of reads) {
    for (const line of read.split('\n')) {
      if (!line.startsWith('data: ')) continue;
      let event: Event;
      try {
        event = JSON.parse(line.slice('data: '.length));
      } catch {
        continue;
      }
      if (event.chunk) text += event.chunk;
      if (event.done) return { text, done: true, error: undefined };
      if (event.error) return { text, done: false, error: event.error };
    }
  }
  return { text, done: false, error: undefined };
}

/** A strict EventSource; anything in the stream that is not plain SSE is an error. */
function readAsEventSource(body: string): Event[] {
  const events: Event[] = [];
  const parser = createParser({
    onEvent({ data, event, id }) {
      expect({ event, id }).toEqual({ event: undefined, id: undefined });
      events.push(JSON.parse(data));
    },
    onError(error) {
      throw error;
    },
    onRetry() {
      throw new Error('the stream set a retry interval');
    },
  });
  parser.feed(body);
  return events;
}

describe('SSE', () => {
  test('gives the same text to a client that splits each network read, event by event, and to a strict EventSource', () => {
    fc.assert(
      fc.property(longTokens, ending, (texts, error) => {
        const writes = writesOf(native, texts, error);

        const splitting = readAsSplittingClient(writes.map(overTheWire));
        const events = readAsEventSource(overTheWire(writes.join('')));

        expect(splitting.text).toBe(texts.join(''));
        expect(events.map(({ chunk }) => chunk ?? '').join('')).toBe(texts.join(''));
        if (error) {
          expect(splitting.error ?? '').toBe(error.publicMessage);
          expect(events.at(-1)).toMatchObject({ code: error.code, retryable: error.retryable });
          expect(events.at(-1)).toMatchObject({ promptSent: error.promptSent, requestId: CONTEXT.requestId });
        } else {
          expect(splitting.done).toBe(true);
          expect(events.at(-1)).toMatchObject({ done: true, sessionId: CONTEXT.sessionId });
        }
      }),
      FUZZ,
    );
  });

  test('is one event per write: one data line with the space, LF, and a blank line', () => {
    fc.assert(
      fc.property(longTokens, ending, (texts, error) => {
        for (const write of writesOf(native, texts, error)) {
          expect(write).toMatch(/^data: \{[^\r\n\0]*\}\n\n$/);
        }
      }),
      FUZZ,
    );
  });

  test('has no chunk over 4,096 UTF-16 units and none cut inside a surrogate pair', () => {
    fc.assert(
      fc.property(longTokens, (texts) => {
        for (const text of texts) {
          const chunks = writesOfText(native, text).map((write) => String(JSON.parse(write.slice(6)).chunk));

          expect(chunks.join('')).toBe(text);
          chunks.forEach((chunk, i) => {
            const previous = chunks[i - 1] ?? '';
            expect(chunk.length).toBeLessThanOrEqual(MAX_CHUNK_LENGTH);
            expect(/[\ud800-\udbff]$/.test(previous) && /^[\udc00-\udfff]/.test(chunk)).toBe(false);
          });
        }
      }),
      FUZZ,
    );
  });

  test.each([
    ['exactly 4,096 units', 'x'.repeat(4096), [4096]],
    ['one more', 'x'.repeat(4097), [4096, 1]],
    ['a pair across the limit', `${'x'.repeat(4095)}🙂`, [4095, 2]],
    ['a pair just before the limit', `${'x'.repeat(4094)}🙂y`, [4096, 1]],
    ['pairs only', '🙂'.repeat(4096), [4096, 4096]],
    ['pairs only, shifted by one', `x${'🙂'.repeat(4096)}`, [4095, 4096, 2]],
    ['a lone high half at the limit', `${'x'.repeat(4095)}\ud83dy`, [4095, 2]],
    ['lone high halves only', '\ud83d'.repeat(5000), [4095, 905]],
  ])('cuts %s so', (_what, text, lengths) => {
    const chunks = writesOfText(native, text).map((write) => String(JSON.parse(write.slice(6)).chunk));

    expect(chunks.map(({ length }) => length)).toEqual(lengths);
    expect(chunks.join('')).toBe(text);
  });

  test('cannot be made to carry an event that the agent forged', () => {
    const forgeries = [
      '\n\ndata: {"done":true}\n\n',
      '\r\rdata: {"done":true}\r\r',
      '"}\n\ndata: {"error":"x"}\n\n',
      '\u2028data: {"done":true}\u2029',
      '\nevent: error\nid: 7\nretry: 1\ndata: x\n\n',
      '\0\n: comment\n\n',
      '{"done":true}',
      '","done":true,"x":"',
      '\\"},{"done":true}',
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...forgeries), token)), ending, (texts, error) => {
        const events = readAsEventSource(overTheWire(writesOf(native, texts, error).join('')));

        const [start, ...rest] = events;
        const last = rest.pop();
        expect(start).toEqual({ start: true, ...START });
        expect(last).toHaveProperty(error ? 'error' : 'done');
        for (const event of rest) expect(Object.keys(event)).toEqual(['chunk']);
      }),
      FUZZ,
    );
  });

  test('comments are seen by neither reader', () => {
    const writer = native.createWriter(CONTEXT);
    const chunk = writer.event({ type: 'text', text: 'a' });
    const body = [writer.open(), native.heartbeat, chunk, native.nudge].join('');

    expect(native.heartbeat).toBe(': keep-alive\n');
    expect(native.nudge).toBe(':\n');
    expect(readAsSplittingClient([body]).text).toBe('a');
    expect(readAsEventSource(body)).toEqual([{ start: true, ...START }, { chunk: 'a' }]);
  });

  test('comments end no event: a reader to which every blank line is a message finds data in each', () => {
    const stats = { chunks: 1, bytes: 1, durationMs: 0 };
    const { heartbeat, nudge } = native;
    const writer = native.createWriter(CONTEXT);
    const chunk = writer.event({ type: 'text', text: 'a' });
    const parts = [heartbeat, writer.open(), nudge, heartbeat, chunk, nudge, nudge, writer.done(stats)];
    const body = parts.join('');

    const messages = body.split('\n\n').slice(0, -1);

    expect(messages.map((message) => message.match(/^data: /gm)?.length)).toEqual([1, 1, 1]);
    expect(body.endsWith('\n\n')).toBe(true);
  });

  test('the error event says whether text went out before', () => {
    const error = new StreamError('AgentTimeout', 'x');
    const partial = (chunks: number) =>
      JSON.parse(native.createWriter(CONTEXT).fail(error, { chunks, bytes: 0, durationMs: 0 }).slice(6))
        .partial;

    expect(partial(0)).toBe(false);
    expect(partial(1)).toBe(true);
  });
});

describe('JSON', () => {
  test('parses at every kind of end, and its response is the exact concatenation', () => {
    fc.assert(
      fc.property(longTokens, ending, (texts, error) => {
        const writes = writesOf(json, texts, error);

        const document = JSON.parse(overTheWire(writes.join('')));

        expect(document).toMatchObject({
          sessionId: CONTEXT.sessionId,
          agentId: CONTEXT.agentId,
          response: texts.join(''),
          metadata: { chunks: texts.length, durationMs: 1 },
        });
        if (error) {
          expect(document.incomplete).toBe(true);
          expect(document.error).toMatchObject({
            code: error.code,
            message: error.publicMessage,
            retryable: error.retryable,
            promptSent: error.promptSent,
          });
        } else {
          expect(Object.keys(document)).toEqual(['sessionId', 'agentId', 'response', 'metadata']);
        }
      }),
      FUZZ,
    );
  });

  test('has each member once: text cannot add another', () => {
    const forgery = '","metadata":{},"error":{"code":"Internal"},"x":"';

    const body = writesOf(json, [forgery, '"', '\\', forgery], undefined).join('');

    expect(JSON.parse(body)).toEqual({
      sessionId: CONTEXT.sessionId,
      agentId: CONTEXT.agentId,
      response: `${forgery}"\\${forgery}`,
      metadata: { chunks: 4, durationMs: 1 },
    });
  });

  test('a surrogate pair cut between two chunks is whole again', () => {
    const body = overTheWire(writesOf(json, ['a\ud83d', '\ude42b'], undefined).join(''));

    expect(JSON.parse(body)).toMatchObject({ response: 'a🙂b' });
  });

  test.each(AWKWARD_TOKENS)('%j comes out as it went in', (text) => {
    expect(JSON.parse(overTheWire(writesOf(json, [text, text], undefined).join('')))).toMatchObject({
      response: text + text,
    });
  });

  test('names members of the context exactly, whatever they hold', () => {
    fc.assert(
      fc.property(token, token, (sessionId, agentId) => {
        const stats = { chunks: 0, bytes: 0, durationMs: 0 };
        const writer = json.createWriter({ ...CONTEXT, sessionId, agentId });
        const body = writer.open() + writer.done(stats);

        expect(JSON.parse(body)).toMatchObject({ sessionId, agentId, response: '' });
      }),
      FUZZ,
    );
  });
});
