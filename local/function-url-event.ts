import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Who called an IAM-authorised URL. */
export interface Caller {
  accessKey: string;
  accountId: string;
  callerId: string;
  userArn: string;
  userId: string;
}

export interface HttpRequest {
  method: string;
  /** Path and query as they came. */
  target: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  sourceIp: string;
}

/** What AWS passes as text; everything else comes base64-encoded. */
const TEXT = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded)|[^;]*\+(json|xml)\b)/i;
const DOMAIN_PREFIX = 'local0000000000000000000000';

/**
 * An HTTP request as the event of a Function URL.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export function toEvent({ method, target, headers, body, sourceIp }: HttpRequest, caller?: Caller): object {
  const [rawPath = '/', ...query] = target.split('?');
  const rawQueryString = query.join('?');
  const { cookie, ...others } = headers;
  const now = new Date();
  const isText = TEXT.test(headers['content-type'] ?? 'text/plain');
  const parameters = queryParameters(rawQueryString);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookie !== undefined && { cookies: cookie.split('; ') }),
    headers: {
      ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, String(value)])),
      'x-forwarded-for': sourceIp,
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      'x-amzn-trace-id': `Root=1-${Math.floor(now.getTime() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`,
    },
    ...(parameters && { queryStringParameters: parameters }),
    requestContext: {
      accountId: caller?.accountId ?? 'anonymous',
      apiId: DOMAIN_PREFIX,
      ...(caller && { authorizer: { iam: { ...caller, cognitoIdentity: null, principalOrgId: null } } }),
      domainName: `${DOMAIN_PREFIX}.lambda-url.us-east-1.on.aws`,
      domainPrefix: DOMAIN_PREFIX,
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: clfTime(now),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

/** Repeated parameters are joined with commas. */
function queryParameters(rawQueryString: string): Record<string, string> | undefined {
  if (rawQueryString === '') return undefined;
  const parameters = new URLSearchParams(rawQueryString);
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((key) => [key, parameters.getAll(key).join(',')]),
  );
}

/** 12/Mar/2026:19:03:58 +0000 */
function clfTime(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
