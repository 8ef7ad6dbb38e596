import type { ErrorCode } from './contract.ts';

/** The details of an error that the caller receives beside code and message. All of them are public. */
export interface ErrorDetails {
  agentId?: string;
  sessionId?: string;
  /** With SessionBusy, the request id of the answer that still runs in the session. */
  requestId?: string;
  retryAfterSeconds?: number;
  /** The names of the wrong fields. */
  fields?: string[];
  /** The reason with which AgentCore refused the request as invalid. */
  reason?: string;
  /** AgentCore's request id, for AWS support. */
  upstreamRequestId?: string;
  /** The error that the agent itself reported. It is forwarded to the caller and never logged. */
  agentError?: AgentError;
  /** Advice for the operator on what to check. */
  hint?: string;
}

/** An error of an agent. Its `message` has at most 2,000 characters and no stack. */
export interface AgentError {
  type?: string;
  code?: string | number;
  message: string;
}

interface CodeRules {
  status: number;
  /** Whether the cause is transient, so that another try is worthwhile while no prompt was sent. */
  transient?: true;
  retryAfterSeconds?: number;
}

/** The only mapping of failures to HTTP. */
const RULES: Record<ErrorCode, CodeRules> = {
  BadRequest: { status: 400 },
  Unauthenticated: { status: 401 },
  AccessDenied: { status: 403 },
  AgentNotFound: { status: 404 },
  NotFound: { status: 404 },
  MethodNotAllowed: { status: 405 },
  SessionBusy: { status: 409, transient: true, retryAfterSeconds: 1 },
  PayloadTooLarge: { status: 413 },
  UnsupportedEncoding: { status: 415 },
  Throttled: { status: 429, transient: true, retryAfterSeconds: 1 },
  Internal: { status: 500 },
  AgentFailed: { status: 502 },
  AgentInterrupted: { status: 502 },
  // Only a running answer can fail so, after its status was sent: this status is never seen.
  ResponseTooLarge: { status: 502 },
  AgentUnavailable: { status: 503, transient: true, retryAfterSeconds: 5 },
  AgentTimeout: { status: 504, transient: true, retryAfterSeconds: 5 },
};

export interface StreamErrorOptions {
  /** The underlying error, which is only logged. */
  cause?: unknown;
  details?: ErrorDetails;
  /** The seconds to wait that the upstream asked for. @default - the default of the code */
  retryAfterSeconds?: number;
  /** Whether another attempt may be made before the prompt is sent: with backoff, or a single one at once. */
  retry?: 'backoff' | 'once';
  /** Further response headers. */
  headers?: Record<string, string>;
  /** Nothing failed: the caller has left. */
  isCancellation?: true;
}

/** A failure of this service. Its `message` is safe to show and ends without a full stop. */
export class StreamError extends Error {
  readonly code: ErrorCode;
  /** Whether the prompt was handed to an open socket, so that the agent may have acted on it. */
  promptSent = false;
  /** AgentCore's id of the request, if it has one. */
  upstreamRequestId: string | undefined;
  // A private field stays out of the log, which shows an error's own properties. The agent's words must not be logged.
  readonly #options: StreamErrorOptions;

  constructor(code: ErrorCode, message: string, options: StreamErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StreamError';
    this.code = code;
    this.#options = options;
  }

  get details(): ErrorDetails {
    const { details } = this.#options;
    return this.upstreamRequestId
      ? { ...details, upstreamRequestId: this.upstreamRequestId }
      : (details ?? {});
  }

  get headers(): Record<string, string> {
    return this.#options.headers ?? {};
  }

  get isCancellation(): boolean {
    return this.#options.isCancellation === true;
  }

  get retry(): StreamErrorOptions['retry'] {
    return this.#options.retry;
  }

  /** The seconds to wait that the upstream asked for. */
  get retryAfterAsked(): number | undefined {
    return this.#options.retryAfterSeconds;
  }

  get status(): number {
    return RULES[this.code].status;
  }

  /** Whether another try is safe and worthwhile: the prompt was not sent, and the cause is transient. */
  get retryable(): boolean {
    return !this.promptSent && RULES[this.code].transient === true;
  }

  /** The seconds to wait before another try; undefined unless {@link retryable}. */
  get retryAfterSeconds(): number | undefined {
    return this.retryable ? (this.retryAfterAsked ?? RULES[this.code].retryAfterSeconds) : undefined;
  }

  get publicMessage(): string {
    return this.promptSent
      ? `${this.message}. The agent may have acted on the prompt: ask it in the same session before sending again`
      : this.message;
  }

  /** Returns {@link details} with the context and the seconds to wait; undefined when there are none of them. */
  publicDetails(context: Pick<ErrorDetails, 'agentId' | 'sessionId'> = {}): ErrorDetails | undefined {
    const { retryAfterSeconds } = this;
    const details = { ...context, ...(retryAfterSeconds && { retryAfterSeconds }), ...this.details };
    return Object.values(details).some((value) => value !== undefined) ? details : undefined;
  }
}

/** Returns anything that was thrown as a StreamError. Any other error is a bug of ours, whose text is not shown. */
export function toStreamError(thrown: unknown): StreamError {
  if (thrown instanceof StreamError) return thrown;
  return new StreamError('Internal', 'an internal error occurred', { cause: thrown });
}

/**
 * Writes the body of a response with an error's status: `{error, message, requestId, retryable, promptSent, details?}`.
 */
export function errorBody(error: StreamError, requestId: string, context: ErrorDetails = {}): string {
  return JSON.stringify({
    error: error.code,
    message: error.publicMessage,
    requestId,
    retryable: error.retryable,
    promptSent: error.promptSent,
    details: error.publicDetails(context),
  });
}
