import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, type ErrorCode } from '../../lambda/contract.ts';
import { errorBody, StreamError, toStreamError } from '../../lambda/errors.ts';

const sent = (error: StreamError) => Object.assign(error, { promptSent: true });

/** The contract's table: status, whether the cause is passing, and the seconds to wait. */
const TABLE: Record<ErrorCode, [status: number, passing: boolean, retryAfterSeconds: number | undefined]> = {
  BadRequest: [400, false, undefined],
  Unauthenticated: [401, false, undefined],
  AccessDenied: [403, false, undefined],
  AgentNotFound: [404, false, undefined],
  NotFound: [404, false, undefined],
  MethodNotAllowed: [405, false, undefined],
  SessionBusy: [409, true, 1],
  PayloadTooLarge: [413, false, undefined],
  UnsupportedEncoding: [415, false, undefined],
  Throttled: [429, true, 1],
  Internal: [500, false, undefined],
  AgentFailed: [502, false, undefined],
  AgentInterrupted: [502, false, undefined],
  AgentUnavailable: [503, true, 5],
  AgentTimeout: [504, true, 5],
  ResponseTooLarge: [502, false, undefined],
};

test('the table has every code and no other', () => {
  expect(Object.keys(TABLE).sort()).toEqual([...ERROR_CODES].sort());
});

describe.each(ERROR_CODES)('%s', (code) => {
  const [status, passing, retryAfterSeconds] = TABLE[code];

  test('has its status', () => {
    expect(new StreamError(code, 'x').status).toBe(status);
  });

  test('is retryable only if its cause is passing and the prompt was not handed over', () => {
    expect(new StreamError(code, 'x').retryable).toBe(passing);
    expect(sent(new StreamError(code, 'x')).retryable).toBe(false);
  });

  test('says how long to wait only where it is retryable', () => {
    expect(new StreamError(code, 'x').retryAfterSeconds).toBe(retryAfterSeconds);
    expect(new StreamError(code, 'x', { retryAfterSeconds: 9 }).retryAfterSeconds).toBe(
      passing ? 9 : undefined,
    );
    expect(sent(new StreamError(code, 'x', { retryAfterSeconds: 9 })).retryAfterSeconds).toBe(undefined);
    expect(sent(new StreamError(code, 'x', { retryAfterSeconds: 9 })).publicDetails()).toBe(undefined);
  });
});

describe('the body of an answer that is an error', () => {
  const body = (error: StreamError, context = {}) => JSON.parse(errorBody(error, 'request-1', context));

  test('has code, message, request id and the two flags', () => {
    expect(body(new StreamError('NotFound', 'no such route'))).toEqual({
      error: 'NotFound',
      message: 'no such route',
      requestId: 'request-1',
      retryable: false,
      promptSent: false,
    });
  });

  test('has the details that are there, and those that follow', () => {
    const error = new StreamError('AgentUnavailable', 'the agent cannot be reached', {
      details: { upstreamRequestId: 'u', hint: 'look there' },
    });

    expect(body(error, { agentId: 'a', sessionId: 's' }).details).toEqual({
      agentId: 'a',
      sessionId: 's',
      upstreamRequestId: 'u',
      hint: 'look there',
      retryAfterSeconds: 5,
    });
  });

  test('says, when the prompt was handed over, that the agent may have acted', () => {
    const error = sent(new StreamError('AgentInterrupted', 'the connection to the agent was lost'));

    expect(body(error)).toMatchObject({
      promptSent: true,
      retryable: false,
      message:
        'the connection to the agent was lost. The agent may have acted on the prompt: ask it in the same session before sending again',
    });
  });

  test('shows neither cause nor stack', () => {
    const error = new StreamError('AgentFailed', 'the agent failed', { cause: new Error('secret cause') });

    expect(errorBody(error, 'request-1')).not.toMatch(/secret|cause|stack/);
  });
});

describe('anything thrown becomes a StreamError', () => {
  test('one that is one stays itself', () => {
    const error = new StreamError('Throttled', 'x');

    expect(toStreamError(error)).toBe(error);
  });

  test.each<[string, unknown]>([
    ['an error', new TypeError('secret: cannot read properties')],
    ['a string', 'secret'],
    ['nothing', undefined],
    ['null', null],
    ['an object that looks like one', { code: 'Throttled', message: 'secret' }],
  ])('%s is a bug of ours, of which nothing is shown and the cause kept', (_what, thrown) => {
    const error = toStreamError(thrown);

    expect(error).toMatchObject({ code: 'Internal', status: 500, retryable: false });
    expect(error.cause).toBe(thrown);
    expect(errorBody(error, 'request-1')).not.toContain('secret');
    expect(errorBody(error, 'request-1')).toContain('request-1');
  });

  test('it is an Error with the name that logs show', () => {
    const error = new StreamError('Throttled', 'x');

    expect(Error.isError(error)).toBe(true);
    expect(error.name).toBe('StreamError');
    expect(error.stack).toMatch(/errors\.test/);
  });
});
