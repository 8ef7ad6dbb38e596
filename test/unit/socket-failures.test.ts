import { describe, expect, test } from '@jest/globals';
import { failureOfBreak, failureOfClose, failureOfSocket } from '../../lambda/agentcore/socket-failures.ts';
import type { ErrorCode } from '../../lambda/contract.ts';
import { errorBody, type StreamError } from '../../lambda/errors.ts';

/** Everything that a caller sees of an error. */
function publicFace(error: StreamError): string {
  return JSON.stringify({ body: errorBody(error, 'request-1'), headers: error.headers });
}

describe('a socket that cannot be opened', () => {
  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ETIMEDOUT',
    'EPIPE',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_WRONG_VERSION_NUMBER',
  ])('%s is AgentUnavailable and worth another try', (code) => {
    const cause = Object.assign(new Error(`connect ${code} 10.0.0.1:443`), { code });

    const error = failureOfSocket(cause);

    expect(error).toMatchObject({ code: 'AgentUnavailable', retry: 'backoff', retryable: true, cause });
    expect(publicFace(error)).not.toContain('10.0.0.1');
  });

  test.each([
    ['a wrong Sec-WebSocket-Accept', new Error('Invalid Sec-WebSocket-Accept header')],
    ['an unasked extension', new Error('Server sent an extension header but none was requested')],
    [
      'no HTTP at all',
      Object.assign(new Error('Parse Error: Expected HTTP/'), { code: 'HPE_INVALID_CONSTANT' }),
    ],
  ])('%s is AgentFailed: trying again would not help', (_what, cause) => {
    expect(failureOfSocket(cause)).toMatchObject({
      code: 'AgentFailed',
      retry: undefined,
      retryable: false,
      cause,
    });
  });
});

describe('a connection that breaks while an answer is awaited', () => {
  test.each<[string, ErrorCode, RegExp]>([
    ['ECONNRESET', 'AgentInterrupted', /lost/],
    ['EPIPE', 'AgentInterrupted', /lost/],
    ['ETIMEDOUT', 'AgentInterrupted', /lost/],
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'AgentFailed', /over the size limit/],
    ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 'AgentFailed', /over the size limit/],
    ['WS_ERR_INVALID_UTF8', 'AgentFailed', /not UTF-8/],
  ])('%s is %s', (code, expected, message) => {
    const cause = Object.assign(new Error('x'), { code });

    const error = failureOfBreak(cause);

    expect(error).toMatchObject({ code: expected, cause, retry: undefined });
    expect(error.message).toMatch(message);
  });

  test.each([
    'WS_ERR_UNEXPECTED_RSV_1',
    'WS_ERR_UNEXPECTED_RSV_2_3',
    'WS_ERR_UNEXPECTED_MASK',
    'WS_ERR_INVALID_OPCODE',
  ])('a breach of the protocol, %s, is a 502 that is never retried', (code) => {
    const error = failureOfBreak(Object.assign(new Error('x'), { code }));

    expect(error).toMatchObject({ status: 502, retry: undefined, retryable: false });
  });
});

describe('a close frame before the end of an answer', () => {
  test.each([1000, 1005])('%i is nothing wrong, with and without a reason', (code) => {
    expect(failureOfClose(code, '')).toBeUndefined();
    expect(failureOfClose(code, 'bye')).toBeUndefined();
  });

  test.each<[number, string]>([
    [1001, ''],
    [1001, 'going away'],
    [1002, ''],
    [1003, 'no binary'],
    [1006, ''],
    [1007, ''],
    [1009, 'Policy violated: message size limit of 64 KB for a message frame is exceeded'],
    [1010, ''],
    [1012, 'restart'],
    [1013, ''],
    [1014, ''],
    [3000, 'x'],
    [4000, 'kicked'],
    [4999, ''],
    [1008, ''],
    [1008, 'Policy violated: Max connection duration of 1 hour is exceeded'],
    [1008, 'Policy violated: Max connection duration of 2 hours is exceeded'],
    [1008, 'Policy violated: message size limit of 128 KB for a message frame is exceeded'],
  ])('%i %j is AgentInterrupted', (code, reason) => {
    const error = failureOfClose(code, reason);

    expect(error).toMatchObject({
      code: 'AgentInterrupted',
      status: 502,
      retry: undefined,
      retryable: false,
    });
    expect(error?.details.agentError).toBeUndefined();
    expect(error?.cause).toMatchObject({ message: expect.stringContaining(String(code)) });
  });

  test('1003 before any text names the keys that change what an agent is sent; after it nothing', () => {
    const [before, after] = [failureOfClose(1003, 'x'), failureOfClose(1003, 'x', true)];

    expect(before?.details.hint).toMatch(/"dialect": "ag-ui".*"input"/);
    expect([after?.code, after?.details.hint]).toEqual(['AgentInterrupted', undefined]);
  });

  test.each([1001, 1007, 1008, 1009, 4000])('%i has no hint', (code) => {
    expect(failureOfClose(code, '')?.details.hint).toBeUndefined();
  });

  test.each<[number, string]>([
    [1008, 'you are not on the list'],
    [1008, 'policy violated: the agent says so in its own words'],
    [1008, 'Policy violated: asks for the password of alice'],
    [1008, 'Policy violated:'],
    [1008, 'Policy violated: Max connection duration of 1 hour is exceeded, says alice'],
    [1008, 'Policy violated: Max connection duration of alice is exceeded'],
    [1008, 'Policy violated: message size limit of 64 KB for a message frame is exceeded\nby alice'],
    [1008, 'It was said: Policy violated: Max connection duration of 1 hour is exceeded'],
    [1011, ''],
    [1011, 'Internal server error'],
    [1011, 'Policy violated: 42'],
  ])('%i %j is AgentFailed, the reason being the agent’s own words', (code, reason) => {
    const error = failureOfClose(code, reason);

    expect(error).toMatchObject({ code: 'AgentFailed', status: 502, retry: undefined, retryable: false });
    expect(error?.details.agentError?.code).toBe(code);
    expect(error?.details.agentError?.message).toBe(reason);
    expect(error?.message).not.toContain(reason || 'never');
  });

  test('the reason is not in the cause, which is logged', () => {
    const { cause } = failureOfClose(1008, 'the prompt was: hello') ?? {};

    expect((cause as Error).message).not.toContain('hello');
  });
});
