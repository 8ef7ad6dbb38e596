import { describe, expect, test } from '@jest/globals';
import { failureOfAnswer } from '../../lambda/agentcore/failures.ts';
import type { ErrorCode } from '../../lambda/contract.ts';
import { errorBody, type StreamError } from '../../lambda/errors.ts';

interface Answer {
  status: number;
  /** Exception name, in the header. */
  name?: string;
  message?: string;
  /** Further members of the body. */
  body?: object;
  headers?: Record<string, string | string[] | undefined>;
}

function failureOf({ status, name, message, body, headers }: Answer): StreamError {
  return failureOfAnswer({
    operation: 'ws',
    status,
    headers: { ...(name !== undefined && { 'x-amzn-errortype': name }), ...headers },
    body: JSON.stringify({ ...(message !== undefined && { message }), ...body }),
  });
}

/** Everything that a caller sees of an error. */
function publicFace(error: StreamError): string {
  return JSON.stringify({ body: errorBody(error, 'request-1'), headers: error.headers });
}

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

describe('what the caller is told', () => {
  test('a mismatch of the authorisation method has a hint', () => {
    const error = failureOf({
      status: 403,
      name: 'AccessDeniedException',
      message: 'Authorization method mismatch. The agent is configured for a different authorization method',
    });

    expect(error.code).toBe('AccessDenied');
    expect(error.details.hint).toMatch(/IAM.*JWT/);
    expect(failureOf({ status: 403, name: 'AccessDeniedException', message: 'no' }).details.hint).toBe(
      undefined,
    );
  });

  test('a RuntimeClientError hints at the missing WebSocket handler', () => {
    const hint = failureOf({ status: 424, name: 'RuntimeClientError' }).details.hint;

    expect(hint).toMatch(/no WebSocket handler.*docs\/agents\.md/);
    expect(failureOf({ status: 424 }).details.hint).toBe(hint);
  });

  describe('a RuntimeClientError is told by what it says:', () => {
    const slowStart =
      'Runtime initialization time exceeded. Please make sure that initialization completes in 30s.';

    test.each([[424], [403]])(
      'a container that was not up in time, with %i, is worth another try',
      (status) => {
        const error = failureOf({ status, name: 'RuntimeClientError', message: slowStart });

        expect(error).toMatchObject({ code: 'AgentUnavailable', retry: 'backoff', retryable: true });
        expect(error.retryAfterSeconds).toBe(5);
        expect(error.details.hint).toMatch(/start-up.*V2 runtime/);
        expect(error.message).toBe('the agent was not up in time');
      },
    );

    test('the same words of another exception change nothing', () => {
      expect(failureOf({ status: 403, name: 'AccessDeniedException', message: slowStart }).code).toBe(
        'AccessDenied',
      );
    });

    test.each([
      ['Received error (404) from runtime. Please check your CloudWatch logs for more information.', 404],
      ['received error code 403 from runtime, see CloudWatch log group', 403],
      ['Received error code 405 from runtime', 405],
      ['Received error (426) from runtime', 426],
    ])('no WebSocket handler: %s', (message, status) => {
      const { code, retry, details } = failureOf({ status: 424, name: 'RuntimeClientError', message });

      expect([code, retry]).toEqual(['AgentFailed', undefined]);
      expect(details.hint).toBe(
        `the container answered the upgrade with ${status}: it may have no WebSocket handler (see docs/agents.md)`,
      );
    });

    test.each([409, 401, 500, 503])("the container's own status %i", (status) => {
      const message = `Received error (${status}) from runtime`;
      const ofUpgrade = failureOf({ status: 424, name: 'RuntimeClientError', message });
      const ofPost = failureOfAnswer({
        operation: 'invocations',
        status: 424,
        headers: { 'x-amzn-errortype': 'RuntimeClientError' },
        body: JSON.stringify({ message }),
      });

      expect(ofUpgrade).toMatchObject({ code: 'AgentFailed', retry: undefined });
      expect(ofUpgrade.details.hint).toBe(
        `the container answered the upgrade with ${status}: check its log group`,
      );
      expect(ofPost.details.hint).toBe(`the container answered with ${status}: check its log group`);
    });

    test('of an entrypoint, 404 has nothing to do with WebSockets', () => {
      const { details } = failureOfAnswer({
        operation: 'invocations',
        status: 424,
        headers: { 'x-amzn-errortype': 'RuntimeClientError' },
        body: '{"message":"Received error (404) from runtime"}',
      });

      expect(details.hint).toBe('the container answered with 404: check its log group');
    });
  });

  test('a RuntimeClientError of an agent without /ws hints at its container alone', () => {
    const error = failureOfAnswer({
      operation: 'invocations',
      status: 424,
      headers: { 'x-amzn-errortype': 'RuntimeClientError' },
      body: '{}',
    });

    expect(error.details.hint).toBe("the runtime's container may be failing: check its log group");
  });

  test('a ValidationException has its reason and the names of the fields', () => {
    const error = failureOf({
      status: 400,
      name: 'ValidationException',
      message: 'secret words',
      body: {
        reason: 'FieldValidationFailed',
        fieldList: [{ name: 'runtimeSessionId', message: 'secret words' }, { name: 7 }, null, 'x', {}],
      },
    });

    expect(error.details).toEqual({ reason: 'FieldValidationFailed', fields: ['runtimeSessionId'] });
  });

  test("AgentCore's request id is in the details, bounded", () => {
    const id = '6a8f2c1e-0000-4000-8000-000000000000';

    expect(failureOf({ status: 500, headers: { 'x-amzn-requestid': id } }).details.upstreamRequestId).toBe(
      id,
    );
    expect(
      failureOf({ status: 500, headers: { 'x-amzn-requestid': 'x'.repeat(9999) } }).details.upstreamRequestId
        ?.length,
    ).toBeLessThanOrEqual(256);
  });

  test.each<[string, Answer, number | undefined]>([
    ['429: the default', { status: 429 }, 1],
    ['429: what the upstream asked for', { status: 429, headers: { 'retry-after': '7' } }, 7],
    ['503: the default', { status: 503 }, 5],
    ['503: what the upstream asked for', { status: 503, headers: { 'retry-after': '30' } }, 30],
    ['504: the default', { status: 504 }, 5],
    ['504: what the upstream asked for', { status: 504, headers: { 'retry-after': '30' } }, 30],
    ['a quota', { status: 402 }, 60],
    ['a conflict that passes', { status: 409, name: 'RetryableConflictException' }, 5],
    ['a date that has passed', { status: 503, headers: { 'retry-after': new Date(0).toUTCString() } }, 5],
    ['no date', { status: 503, headers: { 'retry-after': 'after 5 GMT' } }, 5],
    ['a negative one is not believed', { status: 503, headers: { 'retry-after': '-5' } }, 5],
    ['words are not understood', { status: 429, headers: { 'retry-after': 'soon' } }, 1],
    ['403: none', { status: 403, headers: { 'retry-after': '7' } }, undefined],
    ['424: none', { status: 424, headers: { 'retry-after': '7' } }, undefined],
  ])('how long to wait, %s', (_what, answer, seconds) => {
    expect(failureOf(answer).retryAfterSeconds).toBe(seconds);
  });

  test('how long to wait, a date', () => {
    const headers = { 'retry-after': new Date(Date.now() + 30_000).toUTCString() };

    const { retryAfterSeconds } = failureOf({ status: 503, headers });

    expect([29, 30]).toContain(retryAfterSeconds);
  });

  const secrets = [
    'arn:aws:sts::123456789012:assumed-role/secret-role',
    'AKIDSECRETEXAMPLE',
    'IQoJb3JpZ2luX2VjSECRETTOKEN',
    'f00dfeedsignature',
  ];
  const telling = `The request signature we calculated does not match. User: ${secrets[0]} Credential=${secrets[1]}/20260101 Signature=${secrets[3]}

The Canonical String for this request should have been
'GET
/runtimes/x/ws
x-amz-security-token:${secrets[2]}'`;

  test.each([
    [400, 'ValidationException'],
    [400, 'IncompleteSignatureException'],
    [401, 'UnauthorizedException'],
    [402, 'ServiceQuotaExceededException'],
    [403, 'AccessDeniedException'],
    [403, 'InvalidSignatureException'],
    [403, 'ExpiredTokenException'],
    [404, 'ResourceNotFoundException'],
    [409, 'ConflictException'],
    [409, 'RetryableConflictException'],
    [424, 'RuntimeClientError'],
    [429, 'ThrottlingException'],
    [500, 'InternalServerException'],
    [504, 'GatewayTimeout'],
    [418, 'BrandNewException'],
  ])('nothing of what AgentCore said in a %i %s reaches the caller', (status, name) => {
    for (const message of [telling, telling.replace('The request', 'A request')]) {
      const face = publicFace(failureOf({ status, name, message }));

      for (const secret of [...secrets, 'Canonical', 'calculated']) expect(face).not.toContain(secret);
    }
  });

  test.each([
    ['the canonical request of a refused signature', telling.replace(/ Credential=.*/, '')],
    [
      'the header of an incomplete signature',
      `Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Credential=${secrets[1]}/20260101/us-east-1/bedrock-agentcore/aws4_request, Signature=${secrets[3]}`,
    ],
  ])('the cause, which is logged, has no credential, token or signature: %s', (_what, message) => {
    const { cause } = failureOf({ status: 403, name: 'IncompleteSignatureException', message });

    expect((cause as Error).message).toMatch(/403 IncompleteSignatureException/);
    for (const secret of secrets.slice(1)) expect((cause as Error).message).not.toContain(secret);
  });

  test('the cause is kept for the log: status, name and what was said', () => {
    const { cause } = failureOf({ status: 429, name: 'ThrottlingException', message: 'Rate exceeded' });

    expect((cause as Error).message).toBe('AgentCore answered 429 ThrottlingException: Rate exceeded');
  });

  test.each([
    ['without an exception', { status: 500, message: 'asks for a secret' }],
    [
      'with a code of its own',
      { status: 500, message: 'asks for a secret', body: { code: 'asks for a secret' } },
    ],
  ])('of a body that may be the container’s, %s, the log has only its length', (_what, answer) => {
    const { cause } = failureOf(answer);

    expect((cause as Error).message).toBe('AgentCore answered 500 (no exception name): (17 characters)');
  });

  test('the cause is bounded', () => {
    const { cause } = failureOf({ status: 429, name: 'ThrottlingException', message: 'x'.repeat(100_000) });

    expect((cause as Error).message.length).toBeLessThan(1000);
  });
});
