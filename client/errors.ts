/** The codes that the service sends, each described in docs/openapi.yaml. */
export type ServerErrorCode =
  | 'BadRequest'
  | 'Unauthenticated'
  | 'AccessDenied'
  | 'AgentNotFound'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'PayloadTooLarge'
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
  429: 'Throttled',
};

/** The error that a response with a failing status stands for. */
export async function errorOfResponse(response: Response): Promise<AgentError> {
  const { status, headers } = response;
  const text = await response.text().catch(() => '');
  const sessionId = headers.get('x-session-id') ?? undefined;
  const body = parseObject(text);
  if (typeof body?.error === 'string' && typeof body.message === 'string') {
    const details = body.details as AgentErrorDetails | undefined;
    return new AgentError({
      code: body.error as AgentErrorCode,
      message: body.message,
      retryable: body.retryable === true,
      promptSent: body.promptSent !== false,
      status,
      sessionId: sessionId ?? details?.sessionId,
      requestId: body.requestId as string | undefined,
      details,
    });
  }
  const retryAfter = Number(headers.get('retry-after')) || 1;
  return new AgentError({
    code: CODE_OF_STATUS[status] ?? 'UnexpectedResponse',
    message: `the server answered with status ${status}`,
    retryable: status === 429,
    // A 4xx that is not the service's comes from in front of it; behind a 5xx anything may have happened.
    promptSent: status >= 500,
    status,
    sessionId,
    requestId: headers.get('x-amzn-requestid') ?? undefined,
    details: status === 429 ? { retryAfterSeconds: retryAfter } : undefined,
  });
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
