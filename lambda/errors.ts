import type { ErrorCode } from './contract.ts';

/** What the caller may learn beside code and message. Everything in it is public. */
export interface ErrorDetails {
  agentId?: string;
  sessionId?: string;
  /** Of the answer that is in the way. */
  requestId?: string;
  retryAfterSeconds?: number;
  /** Names of the wrong fields. */
  fields?: string[];
  /** AgentCore's own word for why it found a request invalid. */
  reason?: string;
  /** AgentCore's request id, for AWS support. */
  upstreamRequestId?: string;
  /** What the agent itself said: its text, forwarded to the caller, never logged. */
  agentError?: AgentError;
  /** What the operator should check. */
  hint?: string;
}

/** An error message of an agent; `message` is at most 2,000 characters, without a stack. */
export interface AgentError {
  type?: string;
  code?: string | number;
  message: string;
}

interface CodeRules {
  status: number;
  /** The cause is transient: worth another try, as long as no prompt was handed over. */
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
  // Reached only by an answer that is under way, so that its status never leaves.
  ResponseTooLarge: { status: 502 },
  AgentUnavailable: { status: 503, transient: true, retryAfterSeconds: 5 },
  AgentTimeout: { status: 504, transient: true, retryAfterSeconds: 5 },
};

export interface StreamErrorOptions {
  /** What happened underneath; for the log only. */
  cause?: unknown;
  details?: ErrorDetails;
  /** What the upstream asked for; the code's default otherwise. */
  retryAfterSeconds?: number;
  /** Whether another attempt may be made before the prompt is sent: with backoff, or a single one at once. */
  retry?: 'backoff' | 'once';
  /** Further response headers. */
  headers?: Record<string, string>;
  /** Nothing failed: whoever asked has left. */
  isCancellation?: true;
}

/** Every failure of this service. `message` is safe to show and ends without a full stop. */
export class StreamError extends Error {
  readonly code: ErrorCode;
  /** Whether the prompt had been handed to an open socket: the agent may have acted on it. */
  promptSent = false;
  /** AgentCore's id of the request, when there was one. */
  upstreamRequestId: string | undefined;
  // Not a property of its own: a logged error shows all of those, and the agent's words are not for the log.
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

  /** Seconds that the upstream asked to wait. */
  get retryAfterAsked(): number | undefined {
    return this.#options.retryAfterSeconds;
  }

  get status(): number {
    return RULES[this.code].status;
  }

  /** True only if the prompt was not handed over and the cause is transient. */
  get retryable(): boolean {
    return !this.promptSent && RULES[this.code].transient === true;
  }

  /** Seconds, only where {@link retryable}. */
  get retryAfterSeconds(): number | undefined {
    return this.retryable ? (this.retryAfterAsked ?? RULES[this.code].retryAfterSeconds) : undefined;
  }

  get publicMessage(): string {
    return this.promptSent
      ? `${this.message}. The agent may have acted on the prompt: ask it in the same session before sending again`
      : this.message;
  }

  /** {@link details} with what follows from the state of the error; undefined when there is nothing to say. */
  publicDetails(context: Pick<ErrorDetails, 'agentId' | 'sessionId'> = {}): ErrorDetails | undefined {
    const { retryAfterSeconds } = this;
    const details = { ...context, ...(retryAfterSeconds && { retryAfterSeconds }), ...this.details };
    return Object.values(details).some((value) => value !== undefined) ? details : undefined;
  }
}

/** Anything thrown, as a StreamError; what is not one is a bug of ours, of which nothing is shown. */
export function toStreamError(thrown: unknown): StreamError {
  if (thrown instanceof StreamError) return thrown;
  return new StreamError('Internal', 'an internal error occurred', { cause: thrown });
}

/** Body of an answer whose status is the error's: `{error, message, requestId, retryable, promptSent, details?}`. */
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
