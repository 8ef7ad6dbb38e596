import { EventEmitter, getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Protocol } from '../../lambda/answer/protocol.ts';
import {
  type Prelude,
  Relay,
  type RelayOptions,
  type ResponseStream,
  writeError,
} from '../../lambda/answer/relay.ts';
import type { ErrorCode } from '../../lambda/contract.ts';
import { StreamError, type StreamErrorOptions } from '../../lambda/errors.ts';
import type { ContentEvent } from '../../lambda/events.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';

const text = (value: string): ContentEvent => ({ type: 'text', text: value });

const CONTEXT = { sessionId: 's'.repeat(33), agentId: 'onboarding', requestId: 'request-1' };

/** A response stream as unforgiving as the platform's: every misuse that would cost the environment is a breach. */
class RudeStream extends EventEmitter implements ResponseStream {
  readonly writes: { at: number; text: string }[] = [];
  readonly breaches: string[] = [];
  /** Status and headers, once they have left. */
  prelude: Prelude | undefined;
  /** How many writes are taken before it pushes back. */
  capacity = Number.POSITIVE_INFINITY;
  writableEnded = false;
  writableNeedDrain = false;
  destroyed = false;
  #announced: Prelude | undefined;
  #buffered = 0;

  announce(prelude: Prelude): this {
    if (this.#announced) this.breaches.push('status and headers were set twice');
    this.#announced = prelude;
    return this;
  }

  write(chunk: string | Uint8Array): boolean {
    const text = Buffer.from(chunk).toString();
    if (!this.#announced) this.breaches.push('write before status and headers');
    if (this.writableEnded) this.breaches.push('write after end');
    if (this.destroyed) this.breaches.push('write after close');
    if (text === '') this.breaches.push('empty write');
    this.prelude ??= this.#announced;
    this.writes.push({ at: performance.now(), text });
    this.#buffered += 1;
    this.writableNeedDrain ||= this.#buffered >= this.capacity;
    return !this.writableNeedDrain;
  }

  end(): void {
    if (this.writes.length === 0) this.breaches.push('end without write: status and headers are lost');
    if (this.writableEnded) this.breaches.push('end after end');
    this.writableEnded = true;
  }

  destroy(): void {
    this.breaches.push('destroyed');
  }

  /** The reader takes everything. */
  drain(): void {
    this.#buffered = 0;
    this.writableNeedDrain = false;
    this.emit('drain');
  }

  /** The platform ends the answer, whether it was complete or not. */
  close(): void {
    this.destroyed = true;
    this.emit('close');
  }

  get texts(): string[] {
    return this.writes.map(({ text }) => text);
  }

  get body(): string {
    return this.texts.join('');
  }
}

let stream: RudeStream;
let abort: AbortController;
let stalls: number[];

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  stream = new RudeStream();
  abort = new AbortController();
  stalls = [];
});

afterEach(() => {
  expect(stream.breaches).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  expect(stream.listenerCount('drain')).toBe(0);
  jest.useRealTimers();
});

function startRelay(protocol: Protocol, options: Partial<RelayOptions> = {}): Relay {
  return new Relay({
    protocol,
    context: { ...CONTEXT, sessionReplaced: false },
    respond: (prelude) => stream.announce(prelude),
    abort,
    commitAfterMs: 25_000,
    heartbeatIntervalMs: 15_000,
    maxResponseBytes: 199_000_000,
    onStall: (ms) => stalls.push(ms),
    ...options,
  });
}

/** The events of an SSE answer; each write must be exactly one event or one comment. */
function events(): Record<string, unknown>[] {
  for (const text of stream.texts) expect(text).toMatch(/^(data: [^\r\n]+\n|:[^\r\n]*)\n$/);
  return stream.texts
    .filter((text) => text.startsWith('data: '))
    .map((text) => JSON.parse(text.slice('data: '.length)));
}

function comments(): { at: number; text: string }[] {
  return stream.writes.filter(({ text }) => text.startsWith(':'));
}

const interrupted = (options?: StreamErrorOptions) =>
  Object.assign(new StreamError('AgentInterrupted', 'the connection to the agent was lost', options), {
    promptSent: true,
  });

describe('the commit point', () => {
  test('nothing is written before there is something to say', () => {
    const relay = startRelay(native);

    jest.advanceTimersByTime(24_999);

    expect(relay.isCommitted).toBe(false);
    expect(stream.writes).toEqual([]);
    relay.done();
  });

  test('SSE: the first text commits, with status, headers and the start event', () => {
    const relay = startRelay(native);

    expect(relay.write(text('Hel'))).toBeUndefined();

    expect(relay.isCommitted).toBe(true);
    expect(stream.prelude).toEqual({
      statusCode: 200,
      headers: {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-cache, no-transform',
        'X-Accel-Buffering': 'no',
        'X-Session-Id': CONTEXT.sessionId,
      },
    });
    expect(events()).toEqual([{ start: true, ...CONTEXT }, { chunk: 'Hel' }]);
    relay.done();
  });

  test('SSE: COMMIT_AFTER_MS of silence commits; text and end follow in-band', () => {
    const relay = startRelay(native, { commitAfterMs: 1000 });

    jest.advanceTimersByTime(1000);
    expect(events()).toEqual([{ start: true, ...CONTEXT }]);
    relay.write(text('a'));
    relay.done();

    expect(events()).toEqual([
      { start: true, ...CONTEXT },
      { chunk: 'a' },
      { done: true, sessionId: CONTEXT.sessionId, chunks: 1, bytes: 1, durationMs: 1000 },
    ]);
  });

  test('SSE: COMMIT_AFTER_MS of 0 commits at once', () => {
    const relay = startRelay(native, { commitAfterMs: 0 });

    expect(relay.isCommitted).toBe(true);
    expect(events()).toEqual([{ start: true, ...CONTEXT }]);
    relay.done();
  });

  test('SSE: an error after COMMIT_AFTER_MS is in-band', () => {
    const relay = startRelay(native, { commitAfterMs: 1000 });

    jest.advanceTimersByTime(1000);
    relay.fail(new StreamError('AgentTimeout', 'the agent took too long'));

    expect(stream.prelude?.statusCode).toBe(200);
    expect(events().at(-1)).toMatchObject({ code: 'AgentTimeout', partial: false, promptSent: false });
  });

  test.each([0, 1, 1000])('JSON: time never commits (COMMIT_AFTER_MS %i)', (commitAfterMs) => {
    const relay = startRelay(json, { commitAfterMs });

    jest.advanceTimersByTime(300_000);

    expect(relay.isCommitted).toBe(false);
    expect(stream.writes).toEqual([]);
    relay.fail(new StreamError('AgentTimeout', 'the agent took too long'));
    expect(stream.prelude?.statusCode).toBe(504);
  });

  test('JSON: the first text commits, and the document has begun', () => {
    const relay = startRelay(json);

    relay.write(text('Hel'));

    expect(stream.prelude).toEqual({
      statusCode: 200,
      headers: {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-cache, no-transform',
        'X-Accel-Buffering': 'no',
        'X-Session-Id': CONTEXT.sessionId,
      },
    });
    expect(stream.body).toBe(`{"sessionId":"${CONTEXT.sessionId}","agentId":"onboarding","response":"Hel`);
    relay.done();
  });
});

describe('the end of a complete answer', () => {
  test('SSE: the done event is last and counts chunks, bytes of text and time', () => {
    const relay = startRelay(native);

    relay.write(text('é'));
    relay.write(text('🙂'));
    jest.advanceTimersByTime(10);
    relay.write(text('x'.repeat(4097)));
    relay.done();

    expect(events().at(-1)).toEqual({
      done: true,
      sessionId: CONTEXT.sessionId,
      chunks: 4,
      bytes: 2 + 4 + 4097,
      durationMs: 10,
    });
    expect(relay.stats).toEqual({ chunks: 4, bytes: 4103, durationMs: 10 });
    expect(stream.writableEnded).toBe(true);
  });

  test('JSON: one document', () => {
    const relay = startRelay(json);

    relay.write(text('a"'));
    relay.write(text('\n'));
    jest.advanceTimersByTime(10);
    relay.done();

    expect(JSON.parse(stream.body)).toEqual({
      sessionId: CONTEXT.sessionId,
      agentId: 'onboarding',
      response: 'a"\n',
      metadata: { chunks: 2, durationMs: 10 },
    });
  });

  test.each([
    ['SSE', native],
    ['JSON', json],
  ])('%s: an answer without any text is complete too', (_name, format) => {
    const relay = startRelay(format);

    relay.done();

    expect(stream.prelude?.statusCode).toBe(200);
    if (format === json)
      expect(JSON.parse(stream.body)).toMatchObject({ response: '', metadata: { chunks: 0 } });
    else expect(events()).toMatchObject([{ start: true }, { done: true, chunks: 0, bytes: 0 }]);
  });
});

describe('a failure before the commit point', () => {
  test.each<[ErrorCode, StreamErrorOptions, number, string | undefined]>([
    ['Unauthenticated', {}, 401, undefined],
    ['AccessDenied', {}, 403, undefined],
    ['AgentNotFound', {}, 404, undefined],
    ['Throttled', {}, 429, '1'],
    ['Throttled', { retryAfterSeconds: 7 }, 429, '7'],
    ['AgentFailed', {}, 502, undefined],
    ['AgentUnavailable', {}, 503, '5'],
    ['AgentUnavailable', { retryAfterSeconds: 60 }, 503, '60'],
    ['AgentTimeout', {}, 504, '5'],
    ['Internal', {}, 500, undefined],
  ])('%s %j is a status with headers and a JSON body', (code, options, status, retryAfter) => {
    for (const format of [native, json]) {
      stream = new RudeStream();
      const relay = startRelay(format);

      relay.fail(new StreamError(code, 'some words', options));

      expect(stream.prelude).toEqual({
        statusCode: status,
        headers: {
          'Content-Type': 'application/json',
          'Cache-Control': 'no-store',
          'X-Session-Id': CONTEXT.sessionId,
          ...(retryAfter !== undefined && { 'Retry-After': retryAfter }),
        },
      });
      expect(stream.writes).toHaveLength(1);
      expect(JSON.parse(stream.body)).toEqual({
        error: code,
        message: 'some words',
        requestId: CONTEXT.requestId,
        retryable: retryAfter !== undefined,
        promptSent: false,
        details: {
          agentId: 'onboarding',
          sessionId: CONTEXT.sessionId,
          ...(retryAfter !== undefined && { retryAfterSeconds: Number(retryAfter) }),
        },
      });
      expect(stream.writableEnded).toBe(true);
    }
  });

  test('with the prompt handed over there is no Retry-After', () => {
    const relay = startRelay(json);

    relay.fail(
      Object.assign(new StreamError('AgentTimeout', 'the agent took too long'), { promptSent: true }),
    );

    expect(stream.prelude?.statusCode).toBe(504);
    expect(stream.prelude?.headers).not.toHaveProperty('Retry-After');
    expect(JSON.parse(stream.body)).toMatchObject({ retryable: false, promptSent: true });
  });

  test('of an invocation that never began there is no X-Session-Id, but the headers of its own', () => {
    const error = new StreamError('MethodNotAllowed', 'expected POST', { headers: { Allow: 'POST' } });

    const answer = writeError((prelude) => stream.announce(prelude), error, CONTEXT.requestId);

    expect(answer).toBe(stream);
    expect(stream.prelude).toEqual({
      statusCode: 405,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Allow: 'POST' },
    });
    expect(JSON.parse(stream.body)).toMatchObject({
      error: 'MethodNotAllowed',
      message: 'expected POST',
      requestId: CONTEXT.requestId,
    });
    expect(stream.writableEnded).toBe(true);
  });
});

describe('a failure after the commit point', () => {
  test('SSE: one error event instead of done, then a normal end', () => {
    const relay = startRelay(native);

    relay.write(text('Hel'));
    relay.fail(interrupted());

    expect(events().slice(1)).toEqual([
      { chunk: 'Hel' },
      {
        error: expect.stringMatching(/^the connection to the agent was lost\. The agent may have acted/),
        code: 'AgentInterrupted',
        retryable: false,
        promptSent: true,
        partial: true,
        sessionId: CONTEXT.sessionId,
        requestId: CONTEXT.requestId,
      },
    ]);
    expect(stream.writableEnded).toBe(true);
  });

  test('JSON: the text so far, marked incomplete', () => {
    const relay = startRelay(json);

    relay.write(text('Hel'));
    relay.fail(interrupted());

    expect(JSON.parse(stream.body)).toEqual({
      sessionId: CONTEXT.sessionId,
      agentId: 'onboarding',
      response: 'Hel',
      incomplete: true,
      error: {
        code: 'AgentInterrupted',
        message: expect.stringMatching(/The agent may have acted/),
        retryable: false,
        promptSent: true,
      },
      metadata: { chunks: 1, durationMs: 0 },
    });
    expect(stream.writableEnded).toBe(true);
  });

  test.each([
    ['SSE', native],
    ['JSON', json],
  ])('%s: is written to a reader that is behind, without waiting', (_name, format) => {
    stream.capacity = 1;
    const relay = startRelay(format);
    const full = relay.write(text('Hel'));
    full?.catch(() => {});

    abort.abort(interrupted());
    relay.fail(interrupted());

    expect(stream.writableEnded).toBe(true);
    expect(stream.body).toContain('AgentInterrupted');
  });
});

describe('heartbeats', () => {
  test.each([1000, 15_000])('come after exactly %i ms of silence, again and again', (heartbeatIntervalMs) => {
    const relay = startRelay(native, { commitAfterMs: 0, heartbeatIntervalMs });

    jest.advanceTimersByTime(heartbeatIntervalMs * 3 + heartbeatIntervalMs / 2);

    // The start of the answer may stick as well as a chunk, and is nudged.
    expect(comments()).toEqual([
      { at: 50, text: ':\n' },
      ...[1, 2, 3].map((n) => ({ at: 50 + n * heartbeatIntervalMs, text: ': keep-alive\n' })),
    ]);
    relay.done();
  });

  test('none comes before the commit point', () => {
    const relay = startRelay(native, { commitAfterMs: 25_000, heartbeatIntervalMs: 1000 });

    jest.advanceTimersByTime(24_999);

    expect(stream.writes).toEqual([]);
    relay.done();
  });

  test.each([
    ['now and then', [0, 4000, 21_000, 21_010, 47_000]],
    ['every 14 s', [0, 14_000, 28_000, 42_000, 56_000]],
    ['every 16 s', [0, 16_000, 32_000, 48_000, 64_000]],
    ['in one burst', [0, 1, 2, 3, 4]],
  ])('fill the gaps of text that comes %s, and nothing but the gaps', (_how, times) => {
    const relay = startRelay(native, { commitAfterMs: 0 });

    for (const at of times) {
      jest.advanceTimersByTime(at - performance.now());
      relay.write(text('x'));
    }
    jest.advanceTimersByTime(40_000);

    const gaps = stream.writes.map(({ at, text }, i) => ({
      text,
      gap: at - (stream.writes[i - 1]?.at ?? 0),
    }));
    for (const { text, gap } of gaps) {
      expect(gap).toBeLessThanOrEqual(15_000);
      if (text === ': keep-alive\n') expect(gap).toBeGreaterThanOrEqual(14_999);
    }
    expect(gaps.map(({ text }) => text)).toContain(': keep-alive\n');
    relay.done();
  });

  test('none is written while the reader is behind; they go on when it has caught up', () => {
    stream.capacity = 1;
    const relay = startRelay(native, { commitAfterMs: 0, heartbeatIntervalMs: 1000 });

    jest.advanceTimersByTime(5500);
    expect(comments()).toEqual([]);
    stream.capacity = 100;
    stream.drain();
    jest.advanceTimersByTime(1000);

    expect(comments()).toHaveLength(1);
    relay.done();
  });

  test('JSON has none', () => {
    const relay = startRelay(json);

    relay.write(text('a'));
    jest.advanceTimersByTime(120_000);
    relay.done();

    expect(JSON.parse(stream.body)).toMatchObject({ response: 'a' });
    expect(stream.writes).toHaveLength(3);
  });
});

describe('the nudge', () => {
  const nudges = () => comments().filter(({ text }) => text === ':\n');

  test('comes once, 50 ms after a chunk that nothing follows', () => {
    const relay = startRelay(native);

    relay.write(text('a'));
    jest.advanceTimersByTime(10_000);

    expect(nudges()).toEqual([{ at: 50, text: ':\n' }]);
    relay.done();
  });

  test('comes after the last chunk of a burst only', () => {
    const relay = startRelay(native);

    for (let i = 0; i < 10; i += 1) {
      relay.write(text('a'));
      jest.advanceTimersByTime(30);
    }
    jest.advanceTimersByTime(1000);

    expect(nudges()).toEqual([{ at: 9 * 30 + 50, text: ':\n' }]);
    relay.done();
  });

  test('comes for each chunk that is followed by silence', () => {
    const relay = startRelay(native);

    relay.write(text('a'));
    jest.advanceTimersByTime(200);
    relay.write(text('b'));
    jest.advanceTimersByTime(200);

    expect(nudges().map(({ at }) => at)).toEqual([50, 250]);
    relay.done();
  });

  test('comes after the reader has caught up, for the last chunk before', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);

    const full = relay.write(text('a'));
    jest.advanceTimersByTime(1000);
    expect(nudges()).toEqual([]);
    stream.capacity = Number.POSITIVE_INFINITY;
    stream.drain();
    await full;
    jest.advanceTimersByTime(1000);

    expect(nudges()).toEqual([{ at: 1050, text: ':\n' }]);
    relay.done();
  });

  test('does not come while the reader is behind', () => {
    stream.capacity = 1;
    const relay = startRelay(native);

    const full = relay.write(text('a'));
    jest.advanceTimersByTime(10_000);

    expect(full).toBeInstanceOf(Promise);
    expect(comments()).toEqual([]);
    stream.drain();
    relay.done();
  });

  test.each<[string, (relay: Relay) => void]>([
    ['done', (relay) => relay.done()],
    ['failed', (relay) => relay.fail(interrupted())],
  ])('does not come when the answer is %s', (_how, finish) => {
    const relay = startRelay(native);

    relay.write(text('a'));
    finish(relay);
    jest.advanceTimersByTime(10_000);

    expect(comments()).toEqual([]);
  });

  test('does not exist in JSON', () => {
    const relay = startRelay(json);

    relay.write(text('a'));
    jest.advanceTimersByTime(10_000);

    expect(stream.writes).toHaveLength(2);
    relay.done();
  });
});

describe('a reader that is slower than the agent', () => {
  test('a write that fills the stream returns a promise, which its drain resolves', async () => {
    stream.capacity = 3;
    const relay = startRelay(native);

    expect(relay.write(text('a'))).toBeUndefined();
    const full = relay.write(text('b'));
    expect(full).toBeInstanceOf(Promise);
    stream.drain();
    await full;

    expect(relay.write(text('c'))).toBeUndefined();
    relay.done();
    expect(events().map(({ chunk }) => chunk)).toEqual([undefined, 'a', 'b', 'c', undefined]);
  });

  test('the promise rejects with the reason when the answer is aborted', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);
    const reason = new StreamError('AgentTimeout', 'the answer exceeded its time limit');

    const full = relay.write(text('a'));
    abort.abort(reason);

    await expect(full).rejects.toBe(reason);
    relay.fail(reason);
  });

  test('the promise rejects at once when the answer was aborted already', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);
    const reason = new StreamError('AgentTimeout', 'the answer exceeded its time limit');

    abort.abort(reason);

    await expect(relay.write(text('a'))).rejects.toBe(reason);
    relay.fail(reason);
  });

  test.each([
    [29_999, []],
    [30_000, [30_000]],
    [95_000, [95_000]],
  ])('a pause of %i ms is reported as %j', async (pauseMs, reported) => {
    stream.capacity = 1;
    const relay = startRelay(json);

    const full = relay.write(text('a'));
    jest.advanceTimersByTime(pauseMs);
    stream.drain();
    await full;

    expect(stalls).toEqual(reported);
    relay.done();
  });

  test('a pause that only the deadline ends is reported too', async () => {
    stream.capacity = 1;
    const relay = startRelay(json);

    const full = relay.write(text('a'));
    jest.advanceTimersByTime(60_000);
    abort.abort(interrupted());

    await expect(full).rejects.toBe(abort.signal.reason);
    expect(stalls).toEqual([60_000]);
    relay.fail(interrupted());
  });
});

describe('a response that the platform closes', () => {
  test('ends the wait for its reader, and the pause is reported once', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);

    const full = relay.write(text('a'));
    jest.advanceTimersByTime(40_000);
    stream.close();
    abort.abort(interrupted());
    stream.drain();

    await expect(full).rejects.toBe(abort.signal.reason);
    expect(stalls).toEqual([40_000]);
    relay.fail(interrupted());
  });
});

describe('a response that grows too long', () => {
  test.each([
    ['SSE', native],
    ['JSON', json],
  ])('%s: is cut before the limit and ends with ResponseTooLarge in-band', (_name, format) => {
    const relay = startRelay(format, { maxResponseBytes: 1000 });
    const write = () => {
      for (let i = 0; i < 100; i += 1) relay.write(text('é'.repeat(20)));
    };

    expect(write).toThrow(expect.objectContaining({ code: 'ResponseTooLarge' }));
    const sent = Buffer.byteLength(stream.body);
    relay.fail(interrupted());

    expect(sent).toBeLessThanOrEqual(1000);
    expect(sent).toBeGreaterThan(900);
    expect(stream.writableEnded).toBe(true);
    if (format === json) expect(JSON.parse(stream.body)).toMatchObject({ incomplete: true });
    else expect(events().at(-1)).toMatchObject({ partial: true });
  });

  test('a text of many events goes out as far as it may', () => {
    const relay = startRelay(native, { maxResponseBytes: 10_000 });

    expect(() => relay.write(text('x'.repeat(20_000)))).toThrow(
      expect.objectContaining({ code: 'ResponseTooLarge' }),
    );
    relay.fail(interrupted());

    expect(events()).toMatchObject([
      { start: true },
      { chunk: 'x'.repeat(4096) },
      { chunk: 'x'.repeat(4096) },
      {},
    ]);
    expect(relay.stats.chunks).toBe(2);
  });

  test('the bytes of text that went out are counted, also when the rest of it did not fit', () => {
    const relay = startRelay(native, { maxResponseBytes: 10_000 });

    expect(() => relay.write(text('x'.repeat(20_000)))).toThrow();

    expect(relay.stats).toMatchObject({ chunks: 2, bytes: 8192 });
    relay.fail(interrupted());
  });

  test.each<[string, number]>([
    ['nudge', 50],
    ['heartbeat', 15_000],
  ])('a %s for which there is no room throws nothing out of its timer', (_what, afterMs) => {
    const start = 'data: {"start":true}\n\n'.length + JSON.stringify(CONTEXT).length - 1;
    const relay = startRelay(native, { maxResponseBytes: start + 'data: {"chunk":"a"}\n\n'.length });
    relay.write(text('a'));

    expect(() => jest.advanceTimersByTime(afterMs)).not.toThrow();

    relay.done();
    expect(events().at(-1)).toMatchObject({ done: true });
  });

  test('a limit that not even the first event meets is no reason for a crash by timer', () => {
    const relay = startRelay(native, { maxResponseBytes: 10, commitAfterMs: 1000 });

    expect(() => jest.advanceTimersByTime(1000)).not.toThrow();

    relay.fail(interrupted());
  });

  test.each([
    ['SSE', native],
    ['JSON', json],
  ])('%s: a limit that not even the first event meets still gives a valid answer', (_name, format) => {
    const relay = startRelay(format, { maxResponseBytes: 10 });

    expect(() => relay.write(text('a'))).toThrow(expect.objectContaining({ code: 'ResponseTooLarge' }));
    relay.fail(new StreamError('ResponseTooLarge', 'the answer exceeded the maximum response size'));

    if (format === json) expect(() => JSON.parse(stream.body)).not.toThrow();
    else expect(events().at(-1)).toMatchObject({ code: 'ResponseTooLarge' });
  });
});

describe('a platform that closes the response early', () => {
  test('the answer is aborted, and nothing more is written', () => {
    const relay = startRelay(native);
    relay.write(text('a'));

    stream.close();

    expect(abort.signal.reason).toMatchObject({ code: 'AgentInterrupted' });
    const written = stream.writes.length;
    relay.write(text('b'));
    relay.fail(abort.signal.reason);
    jest.advanceTimersByTime(60_000);
    expect(stream.writes).toHaveLength(written);
  });

  test('a reader waited for is waited for no longer', async () => {
    stream.capacity = 1;
    const relay = startRelay(native);
    const full = relay.write(text('a'));

    stream.close();

    await expect(full).rejects.toMatchObject({ code: 'AgentInterrupted' });
    relay.fail(abort.signal.reason);
  });

  test('a write to a stream that was full when it was closed waits for nothing', () => {
    stream.capacity = 1;
    const relay = startRelay(native, { commitAfterMs: 0 });

    stream.close();

    expect(relay.write(text('a'))).toBeUndefined();
    expect(abort.signal.reason).toMatchObject({ code: 'AgentInterrupted' });
    relay.fail(abort.signal.reason);
  });

  test('heartbeats and nudges stop by themselves', () => {
    const relay = startRelay(native);
    relay.write(text('a'));

    stream.close();
    jest.advanceTimersByTime(60_000);

    expect(comments()).toEqual([]);
    relay.done();
  });

  test('a close after the end is the normal end, and aborts nothing', () => {
    const relay = startRelay(native);
    relay.write(text('a'));
    relay.done();

    stream.close();

    expect(abort.signal.aborted).toBe(false);
  });
});

describe('waiting until all has left', () => {
  test('ends with the close of the stream', async () => {
    const relay = startRelay(native);
    relay.done();

    const closed = relay.closed(1000);
    stream.close();
    await closed;

    expect(performance.now()).toBe(0);
    expect(stream.listenerCount('close')).toBe(0);
  });

  test('ends at the limit when the reader stalls', async () => {
    const relay = startRelay(native);
    relay.done();
    let isOver = false;

    const closed = relay.closed(1000).then(() => {
      isOver = true;
    });
    await jest.advanceTimersByTimeAsync(999);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    await closed;

    expect(isOver).toBe(true);
    stream.close();
  });

  test('ends at once when the stream is closed', async () => {
    const relay = startRelay(native);
    relay.done();
    stream.close();

    await relay.closed(1000);

    expect(performance.now()).toBe(0);
  });
});
