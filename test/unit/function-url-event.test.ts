import { describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2WithIAMAuthorizer } from 'aws-lambda';
import { type Caller, type HttpRequest, toEvent } from '../../local/aws/function-url-event.ts';

const eventOf = (request: Partial<HttpRequest> = {}, caller?: Caller) =>
  toEvent(
    {
      method: 'POST',
      target: '/',
      headers: {},
      body: Buffer.alloc(0),
      sourceIp: '203.0.113.7',
      ...request,
    },
    caller,
  ) as APIGatewayProxyEventV2WithIAMAuthorizer;

describe('the body', () => {
  test.each([
    'application/json',
    'APPLICATION/JSON; charset=utf-8',
    'application/json;charset=utf-8',
    'application/xml',
    'application/javascript',
    'text/plain',
    'text/csv; header=present',
  ])('of type %s is text', (contentType) => {
    const event = eventOf({ headers: { 'content-type': contentType }, body: Buffer.from('{"a":"ä"}') });

    expect([event.body, event.isBase64Encoded]).toEqual(['{"a":"ä"}', false]);
  });

  test.each([
    'application/x-www-form-urlencoded',
    'application/vnd.api+json',
    'application/octet-stream',
    'multipart/form-data; boundary=text/plain',
    'image/svg+xml',
    'application/jsonlines',
    undefined,
  ])('of type %s comes in base64', (contentType) => {
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    const event = eventOf({ headers, body: Buffer.from([0, 255, 128]) });

    expect([event.body, event.isBase64Encoded]).toEqual(['AP+A', true]);
  });

  test('of no bytes is absent', () => {
    const event = eventOf({ headers: { 'content-type': 'application/octet-stream' } });

    expect(event).not.toHaveProperty('body');
    expect(event.isBase64Encoded).toBe(false);
  });
});

describe('path and query', () => {
  test.each([
    ['/', '/', '', undefined],
    ['/a%2Fb//c?', '/a%2Fb//c', '', undefined],
    ['/?a=1&b=%20x&a=2', '/', 'a=1&b=%20x&a=2', { a: '1,2', b: ' x' }],
    ['/?q=what?&flag', '/', 'q=what?&flag', { q: 'what?', flag: '' }],
  ])('%s', (target, rawPath, rawQueryString, parameters) => {
    const event = eventOf({ target });

    expect([event.rawPath, event.requestContext.http.path]).toEqual([rawPath, rawPath]);
    expect(event.rawQueryString).toBe(rawQueryString);
    expect(event.queryStringParameters).toEqual(parameters);
  });
});

test('cookies are a list and no header', () => {
  const event = eventOf({ headers: { cookie: 'a=1; b=2;c=x=y' } });

  expect(event.cookies).toEqual(['a=1', 'b=2', 'c=x=y']);
  expect(event.headers).not.toHaveProperty('cookie');
  expect(eventOf()).not.toHaveProperty('cookies');
});

test('the host is what the caller sent', () => {
  expect(eventOf({ headers: { host: 'localhost:3000' } }).headers.host).toBe('localhost:3000');
});

test('ids are those of the invocation', () => {
  const event = eventOf({
    requestId: 'request-1',
    traceId: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0',
  });

  expect(event.requestContext.requestId).toBe('request-1');
  expect(event.headers['x-amzn-trace-id']).toBe('Root=1-5759e988-bd862e3fe1be46a994272793');
});

test('the context tells who asked, from where and when', () => {
  const caller = {
    accessKey: 'ASIA',
    accountId: '111122223333',
    callerId: 'c',
    userArn: 'arn:u',
    userId: 'u',
  };

  const anonymous = eventOf({ headers: { 'user-agent': 'curl/8' } }).requestContext;
  const { accountId, authorizer } = eventOf({}, caller).requestContext;

  expect(anonymous).toMatchObject({
    accountId: 'anonymous',
    routeKey: '$default',
    stage: '$default',
    http: { method: 'POST', protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'curl/8' },
  });
  expect(anonymous).not.toHaveProperty('authorizer');
  expect(anonymous.domainName).toBe(`${anonymous.apiId}.lambda-url.us-east-1.on.aws`);
  expect(anonymous.time).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
  expect(Math.abs(anonymous.timeEpoch - Date.now())).toBeLessThan(5000);
  expect([accountId, authorizer.iam.userArn]).toEqual(['111122223333', 'arn:u']);
});
