import { badBody, decodeUtf8 } from '../http/body.ts';
import type { Request } from '../http/request.ts';
import { describe } from '../protocols/fields.ts';
import { type IamCaller, identityOf } from './iam-identity.ts';

/**
 * The part of a Function URL's event that is read, in payload format 2.0. A caller that may invoke the function
 * directly can send any other JSON, so each value is checked before it is used.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export interface FunctionUrlEvent {
  rawPath?: unknown;
  rawQueryString?: unknown;
  headers?: Record<string, unknown> | null;
  body?: unknown;
  isBase64Encoded?: unknown;
  requestContext?: {
    http?: { method?: unknown } | null;
    authorizer?: { iam?: IamCaller | null } | null;
  } | null;
}

/** Turns an event into a request. A value that is missing, or not of the type that the format says, becomes empty. */
export function toRequest(
  received: FunctionUrlEvent | null,
  { requestId, traceId }: Pick<Request, 'requestId' | 'traceId'>,
): Request {
  const event = received ?? {};
  const headers = Object.entries(event.headers ?? {}).filter(
    (header): header is [string, string] => typeof header[1] === 'string',
  );
  const identity = identityOf(event.requestContext?.authorizer?.iam);
  return {
    method: textOf(event.requestContext?.http?.method),
    path: textOf(event.rawPath),
    query: textOf(event.rawQueryString),
    headers: Object.fromEntries(headers),
    body: () => decodeBody(event),
    ...(identity !== undefined && { identity }),
    requestId,
    traceId,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function decodeBody({ body, isBase64Encoded }: FunctionUrlEvent): string {
  if (body === undefined || body === null) return '';
  if (typeof body !== 'string') throw badBody('text', describe(body));
  if (isBase64Encoded !== true) return body.replace(/^\uFEFF/, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body) || body.length % 4 !== 0) {
    throw badBody('base64', 'invalid base64');
  }
  return decodeUtf8(Buffer.from(body, 'base64'));
}
