import { createBodyReader } from './body.ts';

/** The codes that the service sends, each described in docs/openapi.yaml. */
export type ServerErrorCode =
  | 'BadRequest'
  | 'Unauthenticated'
  | 'AccessDenied'
  | 'AgentNotFound'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'SessionBusy'
  | 'PayloadTooLarge'
  | 'UnsupportedEncoding'
  | 'Throttled'
  | 'Internal'
  | 'AgentFailed'
  | 'AgentInterrupted'
  | 'AgentUnavailable'
  | 'AgentTimeout'
  | 'ResponseTooLarge';

/**
 * What only the client can see:
 * `NetworkError`: no answer came at all (offline, DNS, refused, CORS);
 * `StreamTruncated`: the stream broke off without a closing event;
 * `UnexpectedResponse`: an answer that is not this service's (a proxy's, a wrong URL's).
 */
export type ClientErrorCode = 'NetworkError' | 'StreamTruncated' | 'UnexpectedResponse';

/** A newer service may send a code that is not here yet: keep a default branch. */
export type AgentErrorCode = ServerErrorCode | ClientErrorCode;

/** What the service says beyond code and message; every part is optional. */
export interface AgentErrorDetails {
  agentId?: string;
  sessionId?: string;
  /** Of the answer that is in the way: see `SessionBusy`. */
  requestId?: string;
  /** Wait so long before trying again; only on errors that are `retryable`. */
  retryAfterSeconds?: number;
  /** Names of the fields of the request that were wrong. */
  fields?: string[];
  /** AgentCore's own word for why it found the request invalid. */
  reason?: string;
  /** AgentCore's request id, for AWS support. */
  upstreamRequestId?: string;
  /** What the agent itself said; its text, to be treated like a chunk. */
  agentError?: { type?: string; code?: string | number; message: string };
  /** What the operator should check. */
  hint?: string;
}

interface AgentErrorFields {
  code: AgentErrorCode;
  message: string;
  retryable: boolean;
  promptSent: boolean;
  status?: number | undefined;
  partialText?: string | undefined;
  sessionId?: string | undefined;
  requestId?: string | undefined;
  details?: AgentErrorDetails | undefined;
  cause?: unknown;
}

/** Every way in which an answer can fail, whether before the stream, in it, or by its breaking off. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;
  /** Sending the same prompt again is safe and makes sense; `retryAfterSeconds` says when. */
  readonly retryable: boolean;
  /** The agent may have got the prompt and acted on it. False only if it certainly did not. */
  readonly promptSent: boolean;
  /** HTTP status of the answer; 200 where the failure came in the stream, undefined where no answer came. */
  readonly status: number | undefined;
  /** The text that had arrived; empty before the first chunk. */
  readonly partialText: string;
  /** Use it for the next turn: what the agent remembers of this one is there. */
  readonly sessionId: string | undefined;
  /** Finds the invocation in the service's logs. */
  readonly requestId: string | undefined;
  readonly details: AgentErrorDetails;

  constructor({ message, cause, ...fields }: AgentErrorFields) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = fields.code;
    this.retryable = fields.retryable;
    this.promptSent = fields.promptSent;
    this.status = fields.status;
    this.partialText = fields.partialText ?? '';
    this.sessionId = fields.sessionId;
    this.requestId = fields.requestId;
    this.details = fields.details ?? {};
  }

  /** Wait so long before trying again; only on errors that are {@link retryable}. */
  get retryAfterSeconds(): number | undefined {
    return this.details.retryAfterSeconds;
  }
}

/** What the platform in front of the service answers by itself has no body of ours; its status says enough. */
const CODE_OF_STATUS: Record<number, AgentErrorCode> = {
  401: 'Unauthenticated',
  403: 'AccessDenied',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'PayloadTooLarge',
  415: 'UnsupportedEncoding',
  429: 'Throttled',
};

/** No error of the service is nearly as long; that of a stranger may have no end. */
const MAX_ERROR_LENGTH = 65_536;

/** The body of an error, as far as it arrives. */
async function readError({ body }: Response, signal: AbortSignal | undefined): Promise<string> {
  let text = '';
  if (!body) return text;
  const reader = createBodyReader(body, signal);
  try {
    while (text.length < MAX_ERROR_LENGTH) {
      const part = await reader.read();
      if (part === undefined) break;
      text += part;
    }
  } catch {
    signal?.throwIfAborted();
  } finally {
    reader.cancel();
  }
  return text;
}

interface ErrorBody {
  error: AgentErrorCode;
  message: string;
  requestId: string;
  retryable: boolean;
  promptSent?: boolean;
  details?: unknown;
}

/** A gateway's `{"error":"Not Found","message":"…"}` is not one: what it calls an error is no code of ours. */
function isErrorBody(body: object | undefined): body is ErrorBody {
  const { error, message, requestId, retryable } = (body ?? {}) as Partial<Record<keyof ErrorBody, unknown>>;
  return (
    [error, message, requestId].every((text) => typeof text === 'string') && typeof retryable === 'boolean'
  );
}

/**
 * The error that a response with a failing status stands for.
 *
 * @throws the reason of `signal` once that is aborted
 */
export async function errorOfResponse(
  response: Response,
  signal?: AbortSignal | undefined,
): Promise<AgentError> {
  const { status, headers } = response;
  const body = parseObject(await readError(response, signal));
  const sessionId = headers.get('x-session-id') ?? undefined;
  if (isErrorBody(body)) {
    const { error: code, message, requestId, retryable } = body;
    const details = detailsOf(body.details);
    return new AgentError({
      code,
      message,
      retryable,
      promptSent: body.promptSent !== false,
      status,
      sessionId: sessionId ?? details?.sessionId,
      requestId,
      details,
    });
  }
  return new AgentError({
    code: CODE_OF_STATUS[status] ?? 'UnexpectedResponse',
    message: messageOf(response),
    retryable: status === 429,
    // A 3xx or 4xx that is not the service's comes from in front of it; behind a 5xx anything may have happened.
    promptSent: status >= 500,
    // A browser does not tell the status of a redirect.
    status: status || undefined,
    sessionId,
    requestId: headers.get('x-amzn-requestid') ?? undefined,
    details: status === 429 ? { retryAfterSeconds: secondsOf(headers.get('retry-after')) } : undefined,
  });
}

function messageOf({ status, type }: Response): string {
  // Lambda's own: the request is not signed, or its signer lacks a permission. The service's has a body.
  if (status === 403) return 'not allowed to call this service';
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    return 'the server answered with a redirect, which is not followed: ask the URL that it leads to';
  }
  return `the server answered with status ${status}`;
}

/** Whole seconds that somebody asks to wait; one where that is something else, a date, too. */
function secondsOf(retryAfter: string | null): number {
  return /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) || 1 : 1;
}

/** What a body or an event says beyond code and message; seconds to wait only where one can wait for them. */
export function detailsOf(said: unknown): AgentErrorDetails {
  const isObject = typeof said === 'object' && said !== null;
  const { retryAfterSeconds, ...details }: AgentErrorDetails = isObject ? said : {};
  const canWait = Number.isFinite(retryAfterSeconds) && Number(retryAfterSeconds) > 0;
  return canWait ? { ...details, retryAfterSeconds: Number(retryAfterSeconds) } : details;
}

/** The JSON object in a text, or undefined. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
