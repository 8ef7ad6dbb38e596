import { describe, expect, jest, test } from '@jest/globals';
import { writeError } from '../../lambda/answer/response.ts';
import type { ErrorCode } from '../../lambda/contract.ts';
import { StreamError, type StreamErrorOptions } from '../../lambda/errors.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';
import {
  abort,
  CONTEXT,
  events,
  interrupted,
  renewStream,
  startRelay,
  stream,
  text,
  useRelay,
} from '../fixtures/relay.ts';

useRelay();

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

    expect(relay.write([text('Hel')])).toBeUndefined();

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
    relay.write([text('a')]);
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

    relay.write([text('Hel')]);

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

    relay.write([text('é')]);
    relay.write([text('🙂')]);
    jest.advanceTimersByTime(10);
    relay.write([text('x'.repeat(4097))]);
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

    relay.write([text('a"')]);
    relay.write([text('\n')]);
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
      renewStream();
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
    expect(stream.prelude?.headers).not.toHaveProperty('X-Session-Id');
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

    relay.write([text('Hel')]);
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

    relay.write([text('Hel')]);
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
    const full = relay.write([text('Hel')]);
    full?.catch(() => {});

    abort.abort(interrupted());
    relay.fail(interrupted());

    expect(stream.writableEnded).toBe(true);
    expect(stream.body).toContain('AgentInterrupted');
  });
});
