import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  type RuntimeRequest,
  type SignedRequest,
  signInvocation,
  signUpgrade,
} from '../../lambda/agentcore/signing.ts';
import { dataPlaneOrigin, parseRuntimeArn } from '../../lambda/arn.ts';
import type { Credentials } from '../../lambda/config.ts';
import vectors from '../fixtures/sigv4-websocket.json' with { type: 'json' };

type Vector = (typeof vectors)[number] & { sessionToken?: string };

const SESSION_HEADER = 'x-amzn-bedrock-agentcore-runtime-session-id';

function requestOf({ runtimeArn, qualifier, sessionId }: Vector): RuntimeRequest {
  const arn = parseRuntimeArn(runtimeArn);
  return { arn, origin: dataPlaneOrigin(arn, { fips: false, dualStack: false }), qualifier, sessionId };
}

function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: Vector): Credentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function dateOf({ time }: Vector): Date {
  return new Date(time.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** The Authorization header that these bytes on the wire should have had, worked out from the specification. */
function authorizationFor(
  method: string,
  { url, headers }: SignedRequest,
  body: string,
  { accessKeyId, secretAccessKey }: Credentials,
): string {
  const sent: Record<string, string> = { ...headers, host: url.host };
  const signedHeaders = /SignedHeaders=([^,]+),/.exec(headers.authorization ?? '')?.[1] ?? '';
  const canonical = [
    method,
    url.pathname.split('/').map(encodeURIComponent).join('/'),
    url.search.slice(1),
    ...signedHeaders.split(';').map((name) => `${name}:${sent[name]}`),
    '',
    signedHeaders,
    sha256(body),
  ].join('\n');
  const date = headers['x-amz-date'] ?? '';
  const region = url.hostname.split('.')[1] ?? '';
  const scope = [date.slice(0, 8), region, 'bedrock-agentcore', 'aws4_request'];
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(
    key as Buffer,
    ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n'),
  );
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${signedHeaders}, Signature=${signature.toString('hex')}`;
}

describe.each(vectors as Vector[])('the upgrade of vector $name', (vector) => {
  const sign = (headers?: Record<string, string>) =>
    signUpgrade(
      { ...requestOf(vector), ...(headers && { headers }) },
      async () => credentialsOf(vector),
      dateOf(vector),
    );

  test('is signed byte for byte as botocore does it', async () => {
    const { url, headers } = await sign();

    expect(url.href.replace(/^https:/, 'wss:')).toBe(vector.url);
    expect({ ...headers, host: url.host }).toEqual({
      ...vector.signedHeaders,
      authorization: vector.authorization,
    });
  });

  test('is sent as it was signed', async () => {
    const traceHeaders = { 'x-amzn-trace-id': 'Root=1-1;Sampled=1', traceparent: '00-1' };

    const signed = await sign(traceHeaders);

    expect(signed.headers).toMatchObject(traceHeaders);
    expect(signed.headers.authorization).toBe(authorizationFor('GET', signed, '', credentialsOf(vector)));
    // X-Amzn-Trace-Id stays unsigned, as in the AWS SDKs: whatever is on the way may rewrite it.
    expect(signed.headers.authorization).toMatch(/SignedHeaders=host;traceparent;x-amz-date;/);
  });

  test('has the session id among the signed headers', async () => {
    const { headers } = await sign();

    expect(headers[SESSION_HEADER]).toBe(vector.sessionId);
    expect(headers.authorization).toContain(SESSION_HEADER);
  });

  test('has neither the Upgrade headers nor a Host of its own', async () => {
    const { headers } = await sign();

    for (const name of ['host', 'connection', 'upgrade', 'sec-websocket-key', 'sec-websocket-version']) {
      expect(Object.keys(headers).map((key) => key.toLowerCase())).not.toContain(name);
    }
  });

  test('is signed for the region of the ARN, whatever the function runs in', async () => {
    const { headers } = await sign();

    expect(headers.authorization).toContain(`/${vector.region}/bedrock-agentcore/aws4_request`);
  });

  test('to /invocations is sent as it was signed, body included', async () => {
    const body = JSON.stringify({ prompt: 'héllo 🙂', sessionId: vector.sessionId });

    const signed = await signInvocation(
      { ...requestOf(vector), headers: { 'content-type': 'application/json', accept: 'text/event-stream' } },
      body,
      async () => credentialsOf(vector),
      dateOf(vector),
    );

    expect(signed.url.pathname).toMatch(/^\/runtimes\/arn%3A[^/]+%2F[^/]+\/invocations$/);
    expect(signed.headers['x-amz-content-sha256']).toBe(sha256(body));
    expect(signed.headers.authorization).toMatch(
      /SignedHeaders=[^,]*content-type;host;x-amz-content-sha256;/,
    );
    expect(signed.headers.authorization).toBe(authorizationFor('POST', signed, body, credentialsOf(vector)));
  });
});

describe('the verifier of these tests', () => {
  const [vector] = vectors as Vector[];

  test.each(['path', 'header', 'body'] as const)('notices another %s', async (what) => {
    if (!vector) throw new Error('no vectors');
    const credentials = credentialsOf(vector);
    const signed = await signInvocation(requestOf(vector), 'body', async () => credentials, dateOf(vector));
    const { authorization } = signed.headers;

    if (what === 'path') signed.url.pathname += 'x';
    if (what === 'header') signed.headers[SESSION_HEADER] += 'x';

    expect(authorizationFor('POST', signed, what === 'body' ? 'other' : 'body', credentials)).not.toBe(
      authorization,
    );
  });
});

describe('credentials', () => {
  const [vector] = vectors as Vector[];
  const request = () => {
    if (!vector) throw new Error('no vectors');
    return requestOf(vector);
  };

  test('that cannot be had make the request Unauthenticated, with the cause kept', async () => {
    const cause = new Error('Could not load credentials from any providers');
    const provider = () => Promise.reject(cause);

    const signed = signUpgrade(request(), provider);

    await expect(signed).rejects.toMatchObject({
      code: 'Unauthenticated',
      status: 401,
      cause,
      retry: undefined,
    });
    await expect(signInvocation(request(), '{}', provider)).rejects.toMatchObject({
      code: 'Unauthenticated',
    });
  });

  test('are asked for each signature: they expire', async () => {
    let asked = 0;
    const provider = async () => {
      asked += 1;
      return { accessKeyId: `AKID${asked}`, secretAccessKey: 'secret', sessionToken: `token-${asked}` };
    };

    const first = await signUpgrade(request(), provider);
    const second = await signUpgrade(request(), provider);

    expect(first.headers['x-amz-security-token']).toBe('token-1');
    expect(second.headers['x-amz-security-token']).toBe('token-2');
    expect(second.headers.authorization).toContain('Credential=AKID2/');
  });

  test('never stand in the URL, and the secret stands nowhere', async () => {
    const provider = async () => ({
      accessKeyId: 'AKID',
      secretAccessKey: 'top-secret',
      sessionToken: 'token',
    });

    const { url, headers } = await signUpgrade(request(), provider);

    expect(url.href).not.toMatch(/AKID|token|X-Amz/i);
    expect(JSON.stringify(headers)).not.toContain('top-secret');
  });
});

test('a custom endpoint keeps its port in Host and in the signature', async () => {
  const [vector] = vectors as Vector[];
  if (!vector) throw new Error('no vectors');
  const credentials = credentialsOf(vector);

  const signed = await signUpgrade(
    { ...requestOf(vector), origin: new URL(`http://local.${vector.region}.test:8080`) },
    async () => credentials,
    dateOf(vector),
  );

  expect(signed.url.host).toBe(`local.${vector.region}.test:8080`);
  expect(signed.headers.authorization).toBe(authorizationFor('GET', signed, '', credentials));
});

test('the time of a signature is now, unless it is given', async () => {
  const [vector] = vectors as Vector[];
  if (!vector) throw new Error('no vectors');

  const { headers } = await signUpgrade(requestOf(vector), async () => credentialsOf(vector));

  const [, y, mo, d, h, mi, s] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers['x-amz-date'] ?? '') ?? [];
  expect(Math.abs(Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`) - Date.now())).toBeLessThan(10_000);
});
