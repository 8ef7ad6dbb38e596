import { StreamError } from '../errors.ts';
import { acceptOrMintSessionId } from '../sessions/session-id.ts';
import { matchRoute, type Route } from './routes.ts';

/**
 * What this reads of a Function URL's event, payload format 2.0. Whoever may invoke the function can send it any
 * other JSON as well, so that nothing is taken for what the format says before it was looked at.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export interface FunctionUrlEvent {
  rawPath?: unknown;
  headers?: Record<string, unknown> | null;
  body?: unknown;
  isBase64Encoded?: unknown;
  requestContext?: { http?: { method?: unknown } | null } | null;
}

export interface InvokeRequest {
  agentId: string;
  prompt: string;
  /** Of UTF-8. */
  promptBytes: number;
  sessionId: string;
}

/** @throws StreamError NotFound or MethodNotAllowed */
export function routeOf(event: FunctionUrlEvent): Route {
  const method = event.requestContext?.http?.method;
  return matchRoute(textOf(method) ?? '', textOf(event.rawPath) ?? '');
}

/** The value of a header, by its name in lower case. */
export function headerOf(event: FunctionUrlEvent, name: string): string | undefined {
  return textOf(event.headers?.[name]);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/**
 * Reads the body of an invoke request. Unknown fields are ignored, an invalid session id is replaced.
 *
 * @throws StreamError UnsupportedEncoding, BadRequest naming the field, or PayloadTooLarge; `details.sessionId` is
 * always there
 */
export function readInvokeRequest(event: FunctionUrlEvent, maxPromptBytes: number): InvokeRequest {
  refuseEncoded(headerOf(event, 'content-encoding'));
  const body = parseObject(decodeBody(event));
  const sessionId = acceptOrMintSessionId(body.sessionId);
  const { agentId, prompt } = body;
  const reject = (field: string, expected: string, came: unknown): never => {
    throw new StreamError('BadRequest', `"${field}": expected ${expected}, got ${describe(came)}`, {
      details: { sessionId, fields: [field] },
    });
  };
  if (typeof agentId !== 'string' || agentId === '') return reject('agentId', 'a non-empty string', agentId);
  if (typeof prompt !== 'string' || prompt === '') return reject('prompt', 'a non-empty string', prompt);
  const promptBytes = Buffer.byteLength(prompt);
  if (promptBytes > maxPromptBytes) {
    throw new StreamError(
      'PayloadTooLarge',
      `"prompt": expected at most ${maxPromptBytes} bytes of UTF-8, got ${promptBytes}`,
      { details: { sessionId, fields: ['prompt'] } },
    );
  }
  return { agentId, prompt, promptBytes, sessionId };
}

/** @see https://www.rfc-editor.org/rfc/rfc7694#section-3 */
function refuseEncoded(contentEncoding = ''): void {
  const coding = contentEncoding.trim();
  if (/^(identity)?$/i.test(coding)) return;
  // It is the caller's text: no more of it is repeated than a name of a coding may hold.
  const came = /^[\w-]{1,20}/.exec(coding)?.[0] ?? 'another';
  throw new StreamError('UnsupportedEncoding', `"Content-Encoding": expected none, got ${came}`, {
    details: { sessionId: acceptOrMintSessionId(undefined), fields: ['Content-Encoding'] },
    headers: { 'Accept-Encoding': 'identity' },
  });
}

/** This one skips a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeBody({ body, isBase64Encoded }: FunctionUrlEvent): string {
  if (body === undefined || body === null) return '';
  if (typeof body !== 'string') throw badBody('text', describe(body));
  if (isBase64Encoded !== true) return body.replace(/^\uFEFF/, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body) || body.length % 4 !== 0) {
    throw badBody('base64', 'invalid base64');
  }
  try {
    return utf8.decode(Buffer.from(body, 'base64'));
  } catch {
    throw badBody('UTF-8', 'invalid UTF-8');
  }
}

function parseObject(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw badBody('a JSON object', body === '' ? 'nothing' : 'invalid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badBody('a JSON object', describe(value));
  }
  return value as Record<string, unknown>;
}

function badBody(expected: string, came: string): StreamError {
  return new StreamError('BadRequest', `"body": expected ${expected}, got ${came}`, {
    // There was none to take over, and every error of this route has one.
    details: { sessionId: acceptOrMintSessionId(undefined), fields: ['body'] },
  });
}

/** The kind of a value; not the value, which may be a prompt. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`.replace('a object', 'an object');
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Trace headers for the agent: this invocation's own trace if it is sampled (`Sampled=0` would switch off the
 * agent's traces), and the caller's `traceparent` if it has the W3C form.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceHeaders(
  event: FunctionUrlEvent,
  xRayTraceId: string | undefined,
): Record<string, string> {
  const traceparent = headerOf(event, 'traceparent');
  return {
    ...(isSampled(xRayTraceId) && { 'x-amzn-trace-id': xRayTraceId }),
    ...(traceparent !== undefined && TRACEPARENT.test(traceparent) && { traceparent }),
  };
}

export function isSampled(xRayTraceId: string | undefined): xRayTraceId is string {
  return xRayTraceId?.includes('Sampled=1') === true && xRayTraceId.length <= 128;
}
