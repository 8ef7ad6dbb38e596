import { createBodyReader } from './body.ts';

/** The codes that the service sends. docs/openapi.yaml describes each of them. */
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
 * The codes of failures that only the client can see:
 * `NetworkError`: there was no response at all (offline, DNS, refused, CORS);
 * `StreamTruncated`: the stream broke off without a closing event;
 * `UnexpectedResponse`: the response is not this service's, but that of a proxy or of a wrong URL.
 */
export type ClientErrorCode = 'NetworkError' | 'StreamTruncated' | 'UnexpectedResponse';

/**
 * A code of the service or of the client. A newer service may send a code that is not listed: keep a default branch.
 */
export type AgentErrorCode = ServerErrorCode | ClientErrorCode;

/** The details of an error beyond its code and message. Every part is optional. */
export interface AgentErrorDetails {
  agentId?: string;
  sessionId?: string;
  /** With `SessionBusy`, the request id of the answer that still runs in the session. */
  requestId?: string;
  /** The seconds to wait before another try. Only an error that is `retryable` has it. */
  retryAfterSeconds?: number;
  /** The names of the request's fields that were wrong. */
  fields?: string[];
  /** The reason with which AgentCore refused the request as invalid. */
  reason?: string;
  /** AgentCore's request id, for AWS support. */
  upstreamRequestId?: string;
  /** The error that the agent itself reported. Its message is text of the agent: treat it like a chunk. */
  agentError?: { type?: string; code?: string | number; message: string };
  /** Advice for the operator on what to check. */
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

/** The error of an answer that fails, whether before its stream, in its stream, or because the stream breaks off. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;
  /** Whether sending the same prompt again is safe and makes sense; `retryAfterSeconds` says when. */
  readonly retryable: boolean;
  /** Whether the agent may have received the prompt and acted on it. False only if it certainly did not. */
  readonly promptSent: boolean;
  /** The HTTP status: 200 when the failure came in the stream, undefined when there was no response. */
  readonly status: number | undefined;
  /** The text that arrived before the failure; empty before the first chunk. */
  readonly partialText: string;
  /** The session of the answer. Use it for the next turn: the agent remembers this turn in it. */
  readonly sessionId: string | undefined;
  /** The id that finds the invocation in the service's logs. */
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

  /** The seconds to wait before another try. Only an error that is {@link retryable} has it. */
  get retryAfterSeconds(): number | undefined {
    return this.details.retryAfterSeconds;
  }
}

/**
 * The codes of responses that come from the platform in front of the service. They have no error body, only a status.
 */
const CODE_OF_STATUS: Record<number, AgentErrorCode> = {
  401: 'Unauthenticated',
  403: 'AccessDenied',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'PayloadTooLarge',
  415: 'UnsupportedEncoding',
  429: 'Throttled',
};

/** The most characters that are read of an error's body. Ours are much shorter, but another server's may never end. */
const MAX_ERROR_LENGTH = 65_536;

/** Reads the body of an error, or its beginning if the connection breaks or the body is too long. */
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

/** Whether a body is an error of this service. A gateway's `{"error":"Not Found","message":"…"}` is not. */
function isErrorBody(body: object | undefined): body is ErrorBody {
  const { error, message, requestId, retryable } = (body ?? {}) as Partial<Record<keyof ErrorBody, unknown>>;
  return (
    [error, message, requestId].every((text) => typeof text === 'string') && typeof retryable === 'boolean'
  );
}

/**
 * Makes the error of a response with a failing status.
 *
 * @throws the reason of `signal` once the signal is aborted
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
    // A 3xx or 4xx without our body comes from in front of the service. After a 5xx anything may have happened.
    promptSent: status >= 500,
    // A browser hides the status of a redirect as 0.
    status: status || undefined,
    sessionId,
    requestId: headers.get('x-amzn-requestid') ?? undefined,
    details: status === 429 ? { retryAfterSeconds: secondsOf(headers.get('retry-after')) } : undefined,
  });
}

function messageOf({ status, type }: Response): string {
  // A 403 without our body comes from Lambda: the request is not signed, or its signer lacks a permission.
  if (status === 403) return 'not allowed to call this service';
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    return 'the server answered with a redirect, which is not followed: ask the URL that it leads to';
  }
  return `the server answered with status ${status}`;
}

/** Reads whole seconds from a `Retry-After` header. Any other value, such as a date, counts as one second. */
function secondsOf(retryAfter: string | null): number {
  return /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) || 1 : 1;
}

/**
 * Reads the details of an error body or an error event. Seconds to wait are kept only if they are a positive number.
 */
export function detailsOf(value: unknown): AgentErrorDetails {
  const isObject = typeof value === 'object' && value !== null;
  const { retryAfterSeconds, ...details }: AgentErrorDetails = isObject ? value : {};
  const canWait = Number.isFinite(retryAfterSeconds) && Number(retryAfterSeconds) > 0;
  return canWait ? { ...details, retryAfterSeconds: Number(retryAfterSeconds) } : details;
}

/** Returns the JSON object that a text is, or undefined. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
