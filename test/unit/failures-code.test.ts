import { describe, expect, test } from '@jest/globals';
import { failureOfAnswer } from '../../lambda/agentcore/failures.ts';
import type { ErrorCode } from '../../lambda/contract.ts';
import { type Answer, failureOf } from '../fixtures/agentcore-failure.ts';

describe('a refused upgrade, by exception name', () => {
  test.each<[status: number, name: string, code: ErrorCode, retry: 'backoff' | undefined]>([
    [400, 'ValidationException', 'BadRequest', undefined],
    [401, 'UnauthorizedException', 'Unauthenticated', undefined],
    [402, 'ServiceQuotaExceededException', 'AgentUnavailable', undefined],
    [403, 'AccessDeniedException', 'AccessDenied', undefined],
    [404, 'ResourceNotFoundException', 'AgentNotFound', undefined],
    [409, 'ConflictException', 'AgentFailed', undefined],
    [409, 'RetryableConflictException', 'AgentUnavailable', 'backoff'],
    [424, 'RuntimeClientError', 'AgentFailed', undefined],
    [429, 'ThrottlingException', 'Throttled', 'backoff'],
    [500, 'InternalServerException', 'AgentUnavailable', 'backoff'],
    [403, 'ExpiredToken', 'Unauthenticated', undefined],
    [403, 'ExpiredTokenException', 'Unauthenticated', undefined],
    [403, 'InvalidSignature', 'Unauthenticated', undefined],
    [403, 'InvalidSignatureException', 'Unauthenticated', undefined],
    [403, 'SignatureDoesNotMatch', 'Unauthenticated', undefined],
    [403, 'UnrecognizedClient', 'Unauthenticated', undefined],
    [403, 'UnrecognizedClientException', 'Unauthenticated', undefined],
    [403, 'InvalidClientTokenId', 'Unauthenticated', undefined],
    [400, 'IncompleteSignature', 'Unauthenticated', undefined],
    [400, 'IncompleteSignatureException', 'Unauthenticated', undefined],
    [403, 'MissingAuthenticationToken', 'Unauthenticated', undefined],
    [403, 'MissingAuthenticationTokenException', 'Unauthenticated', undefined],
  ])('%i %s is %s', (status, name, code, retry) => {
    const error = failureOf({ status, name, message: 'some words' });

    expect(error.code).toBe(code);
    expect(error.retry).toBe(retry);
  });

  test.each<[name: string, code: ErrorCode]>([
    ['RuntimeClientError', 'AgentFailed'],
    ['ThrottlingException', 'Throttled'],
    ['ResourceNotFoundException', 'AgentNotFound'],
    ['ExpiredTokenException', 'Unauthenticated'],
    ['ServiceQuotaExceededException', 'AgentUnavailable'],
    ['RetryableConflictException', 'AgentUnavailable'],
    ['ValidationException', 'BadRequest'],
  ])('%s is %s whatever the status', (name, code) => {
    for (const status of [200, 400, 401, 403, 404, 409, 418, 424, 429, 500, 503, 504]) {
      expect(failureOf({ status, name }).code).toBe(code);
    }
  });

  test.each([
    ['with a suffix', 'ThrottlingException:http://internal.amazon.com/coral/com.amazonaws/'],
    ['with a namespace', 'com.amazonaws.bedrockagentcore#ThrottlingException'],
    ['with both', 'com.amazonaws.x#ThrottlingException:http://x/'],
    ['with white space', ' ThrottlingException '],
  ])('the name is found %s', (_how, name) => {
    expect(failureOf({ status: 400, name }).code).toBe('Throttled');
  });

  test.each([
    ['__type', { __type: 'com.amazonaws.x#ThrottlingException' }],
    ['code', { code: 'ThrottlingException' }],
  ])('without the header the name is taken from the body, %s', (_where, body) => {
    expect(failureOf({ status: 400, body }).code).toBe('Throttled');
  });

  test('a header that came twice counts once', () => {
    const headers = { 'x-amzn-errortype': ['ThrottlingException', 'ValidationException'] };

    expect(failureOf({ status: 400, headers }).code).toBe('Throttled');
  });
});

describe('a refused upgrade without a name that is known, by status', () => {
  const rows: [status: number, code: ErrorCode, retry: 'backoff' | undefined][] = [
    [200, 'AgentFailed', undefined],
    [204, 'AgentFailed', undefined],
    [301, 'AgentFailed', undefined],
    [302, 'AgentFailed', undefined],
    [307, 'AgentFailed', undefined],
    [400, 'BadRequest', undefined],
    [401, 'Unauthenticated', undefined],
    [402, 'AgentUnavailable', undefined],
    [403, 'AccessDenied', undefined],
    [404, 'AgentNotFound', undefined],
    [405, 'AgentFailed', undefined],
    [406, 'AgentFailed', undefined],
    [409, 'AgentFailed', undefined],
    [418, 'AgentFailed', undefined],
    [424, 'AgentFailed', undefined],
    [426, 'AgentFailed', undefined],
    [429, 'Throttled', 'backoff'],
    [500, 'AgentUnavailable', 'backoff'],
    [502, 'AgentUnavailable', 'backoff'],
    [503, 'AgentUnavailable', 'backoff'],
    [504, 'AgentTimeout', undefined],
  ];

  test.each(rows)('%i is %s', (status, code, retry) => {
    const error = failureOf({ status });

    expect(error.code).toBe(code);
    expect(error.retry).toBe(retry);
  });

  test.each(rows)('%i with a name that nobody knows is %s', (status, code, retry) => {
    const error = failureOf({ status, name: 'BrandNewException', message: 'ThrottlingException' });

    expect(error.code).toBe(code);
    expect(error.retry).toBe(retry);
  });

  test.each([
    ['HTML', '<html><body><h1>503 Service Unavailable</h1></body></html>'],
    ['nothing', ''],
    ['a JSON string', '"Not a WebSocket Upgrade Request"'],
    ['JSON null', 'null'],
    ['a JSON array', '[{"message":"x"}]'],
    ['JSON broken off', '{"message":"The requ'],
    ['members of the wrong type', '{"message":{"a":1},"reason":5,"fieldList":"x","__type":7,"code":[]}'],
    ['__proto__', '{"__proto__":{"code":"ThrottlingException"}}'],
  ])('the body may be %s', (_what, body) => {
    expect(failureOfAnswer({ operation: 'ws', status: 503, headers: {}, body }).code).toBe(
      'AgentUnavailable',
    );
  });
});

describe('names inside other words change nothing', () => {
  test.each<[string, Answer, ErrorCode]>([
    [
      'a role in the message of a denied access',
      {
        status: 403,
        name: 'AccessDeniedException',
        message:
          'User: arn:aws:sts::123456789012:assumed-role/ThrottlingException-role/ExpiredToken is not authorized to perform: bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream on resource: arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/InvalidSignatureException-0123456789',
      },
      'AccessDenied',
    ],
    [
      'a runtime in the message of an absent one',
      {
        status: 404,
        name: 'ResourceNotFoundException',
        message:
          'No endpoint or agent found: runtime/RuntimeClientError_ServiceQuotaExceededException-0123456789',
      },
      'AgentNotFound',
    ],
    [
      'a signature phrase that does not begin the message',
      {
        status: 403,
        name: 'AccessDeniedException',
        message: 'User x/Signature expired is not authorized. The security token included in the request is',
      },
      'AccessDenied',
    ],
    [
      'a signature phrase in another exception',
      { status: 429, name: 'ThrottlingException', message: 'Signature expired: too many' },
      'Throttled',
    ],
    ['a longer name', { status: 403, name: 'NotExpiredTokenException' }, 'AccessDenied'],
    ['a longer name at its end', { status: 403, name: 'ExpiredTokenExceptionHandler' }, 'AccessDenied'],
    ['another case', { status: 403, name: 'throttlingexception' }, 'AccessDenied'],
    ['a name after the colon', { status: 403, name: 'BrandNew:ThrottlingException' }, 'AccessDenied'],
    [
      'the header decides, not the body',
      {
        status: 403,
        name: 'AccessDeniedException',
        body: { __type: 'ThrottlingException', code: 'ExpiredToken' },
      },
      'AccessDenied',
    ],
    ['a name of Object.prototype', { status: 403, name: 'constructor' }, 'AccessDenied'],
  ])('%s', (_what, answer, code) => {
    expect(failureOf(answer).code).toBe(code);
  });
});

describe('an AccessDeniedException that means the signature', () => {
  test.each([
    'The request signature we calculated does not match the signature you provided. Check your key.',
    'Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)',
    'Signature not yet current: 20260101T001500Z is still later than 20260101T000500Z',
    'The security token included in the request is expired',
    'The security token included in the request is invalid.',
  ])('is Unauthenticated: %s', (message) => {
    const error = failureOf({ status: 403, name: 'AccessDeniedException', message });

    expect(error.code).toBe('Unauthenticated');
    expect(error.status).toBe(401);
    expect(error.retryable).toBe(false);
  });

  test('is found in a body that writes Message with a capital', () => {
    const body = { Message: 'Signature expired: 20260101T000000Z is now earlier' };

    expect(failureOf({ status: 403, name: 'AccessDeniedException', body }).code).toBe('Unauthenticated');
  });
});
