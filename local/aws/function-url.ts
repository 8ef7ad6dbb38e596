import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InvocationResult } from './execution-environment.ts';
import { type Caller, toEvent } from './function-url-event.ts';
import { type LambdaRuntime, untracedId } from './lambda-runtime.ts';
import { type LocalServer, serve } from './serve.ts';

export interface Cors {
  allowedOrigins: readonly string[];
  allowedHeaders: readonly string[];
  allowedMethods: readonly string[];
  exposedHeaders: readonly string[];
  maxAgeSeconds?: number;
}

export interface FunctionUrlOptions {
  runtime: Pick<LambdaRuntime, 'invoke'>;
  /** @default 0, any free one */
  port?: number;
  /** @default nothing about CORS is answered here */
  cors?: Cors;
  /** @default no authorizer, as with auth type NONE */
  caller?: Caller;
  /** The platform's limit: 6 MB at once, then 2 MB/s. @default true */
  bandwidth?: boolean;
  /** Hold a write under 100 KB until the next one or the end, as real URLs sometimes do. @default false */
  sticky?: boolean;
  /** Asked first; what it returns is the answer. @default every request is let through */
  access?: (request: IncomingMessage) => { status: number; message: string } | undefined;
  /** Asked next; true when it has answered. */
  page?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
}

export type FunctionUrl = LocalServer;

/**
 * Of an invocation's payload, which is the event: headers count, and a body as the JSON string that it becomes there,
 * base64 (a third more) if it is not text.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const MAX_REQUEST_BYTES = 6 * 1024 * 1024;
const MAX_RESPONSE_BYTES = 200 * 1024 * 1024;
const FREE_BYTES = 6 * 1024 * 1024;
const BYTES_PER_TICK = (2 * 1024 * 1024) / 8;
const TICK_MS = 125;
const STICKY_BYTES = 100 * 1024;
const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';
const DELIMITER = Buffer.alloc(8);

/**
 * A Function URL with RESPONSE_STREAM for a local runtime.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 */
export function startFunctionUrl(options: FunctionUrlOptions): Promise<FunctionUrl> {
  return serve((request, response) => answer(request, response, options), options.port);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: FunctionUrlOptions,
): Promise<void> {
  response.on('error', () => {});
  const requestId = randomUUID();
  const refused = options.access?.(request);
  if (refused) {
    request.resume();
    refuse(response, refused.status, { message: refused.message }, { 'x-amzn-RequestId': requestId });
    return;
  }
  if (await options.page?.(request, response)) return;
  const corsHeaders = corsOf(request, options.cors);
  const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'];
  if (options.cors && isPreflight) {
    request.resume();
    const headers = { 'x-amzn-RequestId': requestId, ...corsHeaders };
    response.writeHead(200, { ...headers, ...preflightOf(options.cors, corsHeaders) }).end();
    return;
  }
  const body = await readBody(request);
  const own = { 'x-amzn-RequestId': requestId, ...corsHeaders };
  const refuseTooLong = () => refuse(response, 413, { message: 'Request Too Long' }, own);
  if (!body) return refuseTooLong();
  const traceId = untracedId();
  const event = toEvent(
    {
      method: request.method ?? 'GET',
      target: request.url ?? '/',
      headers: request.headers,
      body,
      sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
      requestId,
      traceId,
    },
    options.caller,
  );
  if (Buffer.byteLength(JSON.stringify(event)) > MAX_REQUEST_BYTES) return refuseTooLong();
  await send(await options.runtime.invoke(event, { traceId, requestId }), response, own, options);
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length <= MAX_REQUEST_BYTES) parts.push(part);
  }
  return length > MAX_REQUEST_BYTES ? undefined : Buffer.concat(parts);
}

type Headers = Record<string, string>;

function corsOf({ headers }: IncomingMessage, cors: Cors | undefined): Headers {
  const { origin } = headers;
  if (!cors || origin === undefined) return {};
  const any = cors.allowedOrigins.includes('*');
  if (!any && !cors.allowedOrigins.includes(origin)) return {};
  return {
    'Access-Control-Allow-Origin': any ? '*' : origin,
    'Access-Control-Expose-Headers': cors.exposedHeaders.join(','),
    Vary: 'Origin',
  };
}

/** Nothing is allowed to an origin that is not. */
function preflightOf(cors: Cors, allowed: Headers): Headers {
  if (!allowed['Access-Control-Allow-Origin']) return {};
  return {
    'Access-Control-Allow-Methods': cors.allowedMethods.join(','),
    'Access-Control-Allow-Headers': cors.allowedHeaders.join(','),
    ...(cors.maxAgeSeconds !== undefined && { 'Access-Control-Max-Age': String(cors.maxAgeSeconds) }),
  };
}

function refuse(response: ServerResponse, status: number, body: object, headers: Headers): void {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    ...headers,
  });
  response.end(JSON.stringify(body));
}

async function send(
  result: InvocationResult,
  response: ServerResponse,
  own: Headers,
  options: FunctionUrlOptions,
): Promise<void> {
  const headers = result.kind === 'throttled' ? own : { ...own, 'x-amzn-RequestId': result.requestId };
  const badGateway = () => refuse(response, 502, { message: 'Internal Server Error' }, headers);
  switch (result.kind) {
    case 'throttled':
      return refuse(
        response,
        429,
        { Reason: 'ConcurrentInvocationLimitExceeded', Type: 'User', message: 'Rate Exceeded.' },
        { ...headers, 'x-amzn-ErrorType': 'TooManyRequestsException' },
      );
    case 'error':
    case 'buffered':
      return badGateway();
    case 'stream': {
      const rest = await sendHead(result, response, headers);
      if (rest) return relayBody(result.body, rest, response, options);
      // The environment serves nobody else until its answer has been read.
      result.body.resume();
      return badGateway();
    }
  }
}

/** Status and headers, once they are there; returns what came behind them. Undefined: the function failed. */
async function sendHead(
  { contentType, body }: { contentType: string; body: IncomingMessage },
  response: ServerResponse,
  headers: Headers,
): Promise<Buffer | undefined> {
  let head = Buffer.alloc(0);
  for (let part = await nextPart(body); part; part = await nextPart(body)) {
    head = Buffer.concat([head, part]);
    if (contentType !== PRELUDE_TYPE) {
      response.writeHead(200, { 'Content-Type': contentType, ...headers });
      return head;
    }
    const end = head.indexOf(DELIMITER);
    if (end < 0) continue;
    if (!writePrelude(head.toString('utf8', 0, end), response, headers)) return undefined;
    return head.subarray(end + DELIMITER.length);
  }
  if (body.errored || body.trailers['lambda-runtime-function-error-type']) return undefined;
  // An end() without a write(): whatever status and headers were set are lost.
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', ...headers });
  return head;
}

/** False for a prelude that is none: no JSON, or a status or header that HTTP does not have. */
function writePrelude(json: string, response: ServerResponse, headers: Headers): boolean {
  try {
    const prelude = JSON.parse(json) as { statusCode?: number; headers?: Headers; cookies?: string[] };
    response.writeHead(prelude.statusCode ?? 200, {
      ...prelude.headers,
      ...headers,
      ...(prelude.cookies && { 'Set-Cookie': prelude.cookies }),
    });
  } catch {
    return false;
  }
  response.flushHeaders();
  return true;
}

/** The next piece of a body as it came, or undefined at its end, however that came. */
function nextPart(body: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = () => {
      const part = body.read() as Buffer | null;
      if (part === null && !body.readableEnded && !body.destroyed && !body.errored) return;
      for (const event of ['readable', 'end', 'close', 'error']) body.off(event, settle);
      resolve(part ?? undefined);
    };
    for (const event of ['readable', 'end', 'close', 'error']) body.on(event, settle);
    settle();
  });
}

/**
 * Passes the body on, each piece as it comes, at the platform's rate. A caller that is gone is unknown to the
 * function: the rest is read and thrown away.
 */
async function relayBody(
  body: IncomingMessage,
  first: Buffer,
  response: ServerResponse,
  { bandwidth = true, sticky = false }: FunctionUrlOptions,
): Promise<void> {
  const pace = bandwidth ? tokenBucket() : () => undefined;
  let held: Buffer | undefined;
  let sent = 0;
  for (let part: Buffer | undefined = first; part; part = await nextPart(body)) {
    sent += part.length;
    if (sent > MAX_RESPONSE_BYTES) break;
    if (held) await write(held, response, pace);
    held = sticky && part.length < STICKY_BYTES ? part : undefined;
    if (!held) await write(part, response, pace);
  }
  if (held) await write(held, response, pace);
  // A body that broke off leaves the caller with a broken answer.
  if (body.errored || sent > MAX_RESPONSE_BYTES) response.destroy();
  else response.end();
  body.resume();
}

async function write(
  part: Buffer,
  response: ServerResponse,
  pace: (bytes: number) => Promise<void> | undefined,
) {
  await pace(part.length);
  if (part.length === 0 || response.destroyed || response.write(part)) return;
  await new Promise<void>((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.once('drain', settle).once('close', settle);
  });
}

function tokenBucket(): (bytes: number) => Promise<void> | undefined {
  let tokens = FREE_BYTES;
  let filledAt = performance.now();
  return (bytes) => {
    const ticks = Math.floor((performance.now() - filledAt) / TICK_MS);
    tokens = Math.min(FREE_BYTES, tokens + ticks * BYTES_PER_TICK) - bytes;
    filledAt += ticks * TICK_MS;
    if (tokens >= 0) return undefined;
    return new Promise((resolve) => {
      setTimeout(resolve, Math.ceil(-tokens / BYTES_PER_TICK) * TICK_MS);
    });
  };
}
