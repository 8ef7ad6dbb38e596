import { describe, expect, test } from '@jest/globals';
import { failureOfAnswer } from '../../lambda/agentcore/failures.ts';
import { type Answer, failureOf, publicFace } from '../fixtures/agentcore-failure.ts';

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
