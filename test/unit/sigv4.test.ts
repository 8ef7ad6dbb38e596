import { describe, expect, test } from '@jest/globals';
import { refuseSignature, type SignedRequest } from '../../local/aws/sigv4.ts';
import presigned from '../fixtures/sigv4-presigned.json' with { type: 'json' };
import vectors from '../fixtures/sigv4-websocket.json' with { type: 'json' };

type Vector = (typeof vectors)[number] & { sessionToken?: string };

function requestOf(vector: Vector): SignedRequest {
  const url = new URL(vector.url);
  return {
    method: 'GET',
    path: url.pathname,
    query: url.search.slice(1),
    headers: { ...vector.signedHeaders, authorization: vector.authorization },
    body: new Uint8Array(),
  };
}

function timeOf({ time }: Vector): number {
  return Date.parse(time.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
}

function verify(vector: Vector, request = requestOf(vector), now = timeOf(vector)): string | undefined {
  const { accessKeyId, secretAccessKey, sessionToken } = vector;
  return refuseSignature(request, {
    credentials: [{ accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }],
    region: vector.region,
    service: 'bedrock-agentcore',
    now,
    clockSkewMs: 300_000,
  });
}

describe.each(vectors as Vector[])('the vector $name', (vector) => {
  test('is accepted', () => {
    expect(verify(vector)).toBeUndefined();
  });

  test.each<[string, (request: SignedRequest) => void]>([
    ['path', (request) => Object.assign(request, { path: flip(request.path, request.path.length - 4) })],
    ['query', (request) => Object.assign(request, { query: `${request.query}x` })],
    ['session id', ({ headers }) => changeHeader(headers, 'x-amzn-bedrock-agentcore-runtime-session-id')],
    [
      'date',
      ({ headers }) =>
        Object.assign(headers, { 'x-amz-date': oneSecondLater(String(headers['x-amz-date'])) }),
    ],
    ['security token', ({ headers }) => changeHeader(headers, 'x-amz-security-token')],
    ['host', ({ headers }) => changeHeader(headers, 'host')],
    ['signature', ({ headers }) => changeHeader(headers, 'authorization')],
  ])('is refused with another %s', (_what, change) => {
    const request = requestOf(vector);
    request.headers = { ...request.headers };

    change(request);

    expect(verify(vector, request)).toMatch(
      /does not match the signature|security token included in the request/,
    );
  });

  test.each([
    ['older', 301_000, 'Signature expired'],
    ['newer', -301_000, 'Signature not yet current'],
  ])('is refused five minutes %s than the clock', (_how, offset, message) => {
    expect(verify(vector, requestOf(vector), timeOf(vector) + offset)).toContain(message);
    expect(verify(vector, requestOf(vector), timeOf(vector) + offset * 0.99)).toBeUndefined();
  });
});

test('a request without a signature, of an unknown key or of expired credentials is refused', () => {
  const [vector] = vectors as Vector[];
  if (!vector) throw new Error('no vectors');
  const request = requestOf(vector);
  const options = {
    region: vector.region,
    service: 'bedrock-agentcore',
    now: timeOf(vector),
    clockSkewMs: 300_000,
  };

  expect(verify(vector, { ...request, headers: {} })).toBe('Missing Authentication Token');
  expect(refuseSignature(request, { ...options, credentials: [] })).toMatch(/is invalid/);
  expect(refuseSignature(request, { ...options, credentials: [{ ...vector, expired: true }] })).toMatch(
    /is expired/,
  );
  expect(refuseSignature(request, { ...options, credentials: [vector], region: 'eu-west-3' })).toMatch(
    /region/,
  );
});

describe.each(presigned)('the presigned URL $name of botocore', (vector) => {
  const url = new URL(vector.url);
  const signedAt = Date.parse(vector.time.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
  const { accessKeyId, secretAccessKey, sessionToken, region } = vector;
  const verifyQuery = (query: string, now = signedAt, headers: SignedRequest['headers'] = {}) =>
    refuseSignature(
      {
        method: 'GET',
        path: url.pathname,
        query,
        headers: { host: url.host, ...headers },
        body: new Uint8Array(),
      },
      {
        credentials: [{ accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }],
        region,
        service: 'bedrock-agentcore',
        now,
        clockSkewMs: 300_000,
      },
    );
  const query = url.search.slice(1);

  test('is accepted until it expires', () => {
    const expiresAt = signedAt + vector.expiresSeconds * 1000;

    expect(verifyQuery(query)).toBeUndefined();
    expect(verifyQuery(query, expiresAt)).toBeUndefined();
    expect(verifyQuery(query, expiresAt + 1)).toMatch(/^Signature expired/);
    expect(verifyQuery(query, signedAt - 301_000)).toMatch(/^Signature not yet current/);
  });

  test.each([
    ['another session', query.replace(/(Session-Id=.)./, '$1~')],
    ['another qualifier', query.replace('qualifier=', 'qualifier=x')],
    ['one parameter more', `${query}&qualifier=prod`],
    ['another signature', query.replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
    ['more time', query.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=299')],
  ])('is refused with %s', (_what, changed) => {
    expect(verifyQuery(changed)).toMatch(/^The request signature we calculated/);
  });

  test.each([
    [
      'another token',
      query.replace(/X-Amz-Security-Token=[^&]*|(?=X-Amz-Date)/, 'X-Amz-Security-Token=x&'),
      /token/,
    ],
    ['more time than there is', query.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=301'), /between 1 and 300/],
    ['no time', query.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires='), /between 1 and 300/],
    ['another algorithm', query.replace('HMAC-SHA256', 'HMAC-SHA1'), /Unsupported/],
    ['an unsigned host', query.replace('SignedHeaders=host', 'SignedHeaders=accept'), /'host' must be/],
    ['no credential', query.replace('X-Amz-Credential=', 'X-Amz-Credential=x'), /Missing|invalid/],
  ])('is refused with %s', (_what, changed, message) => {
    expect(verifyQuery(changed)).toMatch(message);
  });

  test('is refused beside a signature in the headers', () => {
    expect(verifyQuery(query, signedAt, { authorization: 'AWS4-HMAC-SHA256 …' })).toMatch(/^Only one/);
  });
});

function flip(text: string, index: number): string {
  return text.slice(0, index) + (text[index] === 'a' ? 'b' : 'a') + text.slice(index + 1);
}

function changeHeader(headers: SignedRequest['headers'], name: string): void {
  const value = String(headers[name] ?? 'absent');
  headers[name] = flip(value, value.length - 1);
}

function oneSecondLater(date: string): string {
  return `${date.slice(0, -2)}${date.at(-2) === '9' ? '8' : Number(date.at(-2)) + 1}Z`;
}
