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
  /** Lambda's id of the invocation. @default a new one */
  requestId?: string;
  /** Trace header of the invocation, of which the function's headers have the root. @default a new one */
  traceId?: string;
}

/**
 * What AWS passes as text. Everything else comes base64-encoded: forms (what `curl -d` sends), `+json` types and
 * bodies without a type, too.
 *
 * @see https://github.com/ministackorg/ministack/pull/766 compared with the real service
 */
const TEXT = /^(text\/.*|application\/(json|javascript|xml))$/;
const DOMAIN_PREFIX = 'local0000000000000000000000';

/**
 * An HTTP request as the event of a Function URL.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export function toEvent(request: HttpRequest, caller?: Caller): object {
  const { method, target, headers, body, sourceIp, requestId = randomUUID() } = request;
  const [rawPath = '/', ...query] = target.split('?');
  const rawQueryString = query.join('?');
  const { cookie, ...others } = headers;
  const now = new Date();
  const [contentType = ''] = (headers['content-type'] ?? '').split(';');
  const isText = TEXT.test(contentType.trim().toLowerCase());
  const [traceRoot] = (request.traceId ?? newTraceRoot(now)).split(';');
  const parameters = queryParameters(rawQueryString);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookie !== undefined && { cookies: cookie.split(/; */) }),
    headers: {
      ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, String(value)])),
      'x-forwarded-for': sourceIp,
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      'x-amzn-trace-id': traceRoot,
    },
    ...(parameters && { queryStringParameters: parameters }),
    requestContext: {
      accountId: caller?.accountId ?? 'anonymous',
      apiId: DOMAIN_PREFIX,
      ...(caller && { authorizer: { iam: { ...caller, cognitoIdentity: null, principalOrgId: null } } }),
      domainName: `${DOMAIN_PREFIX}.lambda-url.us-east-1.on.aws`,
      domainPrefix: DOMAIN_PREFIX,
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: clfTime(now),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

function newTraceRoot(now: Date): string {
  return `Root=1-${Math.floor(now.getTime() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;
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
