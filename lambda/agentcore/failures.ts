import { type ErrorDetails, StreamError, type StreamErrorOptions } from '../errors.ts';
import { boundedAgentError } from './agent-error.ts';

/** An HTTP answer of the data plane that is not the one hoped for. */
export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The start of the body. */
  body: string;
}

const NO_WEBSOCKET_HINT =
  'the runtime may have no WebSocket handler, or its container may be failing: see docs/agents.md and its log group';
const JWT_HINT = 'the runtime must use IAM authorisation, not JWT';

/** Exceptions that say: who you are is wrong. */
const UNAUTHENTICATED =
  /^(ExpiredToken|InvalidSignature|UnrecognizedClient|IncompleteSignature|MissingAuthenticationToken)(Exception)?$|^(SignatureDoesNotMatch|InvalidClientTokenId|UnauthorizedException)$/;

/** An AccessDeniedException that means the signature, not the permission, by how its message begins. */
const SIGNATURE_REFUSED =
  /^(The request signature we calculated|Signature expired|Signature not yet current|The security token included in the request is)/;

/**
 * The failure behind a refused upgrade or invocation: by exception name first, by status second.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-get-started-websocket.html
 */
export function failureOfAnswer(answer: HttpAnswer): StreamError {
  const { status, headers } = answer;
  const body = parseBody(answer.body);
  const name = exceptionName(single(headers['x-amzn-errortype']) ?? body.__type ?? body.code);
  const message = body.message ?? body.Message ?? '';
  const details: ErrorDetails = {};
  const upstreamRequestId = single(headers['x-amzn-requestid']);
  if (upstreamRequestId) details.upstreamRequestId = upstreamRequestId.slice(0, 128);
  const retryAfter = single(headers['retry-after']) ?? '';
  const retryAfterSeconds = /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) || undefined : undefined;

  // Refusals of a signature quote it, or go on with the canonical request and its token.
  const [said = ''] = message.slice(0, 300).split(/\n|\s*\b(?:Authorization|Credential|Signature)=|AWS4-/, 1);
  const cause = new Error(
    `AgentCore answered ${status} ${name ?? '(no exception name)'}: ${said || '(no message)'}`,
  );
  const fail = (code: StreamError['code'], text: string, options: StreamErrorOptions = {}) =>
    new StreamError(code, text, { cause, ...options, details: { ...details, ...options.details } });
  const asked: StreamErrorOptions = retryAfterSeconds ? { retryAfterSeconds } : {};
  const passing: StreamErrorOptions = { ...asked, retry: 'backoff' };

  switch (name ?? nameByStatus(status)) {
    case 'ValidationException': {
      const fields = body.fieldList?.map((field) => field.name).filter((field) => typeof field === 'string');
      return fail('BadRequest', 'AgentCore found the request invalid', {
        details: { ...(body.reason && { reason: body.reason }), ...(fields && { fields }) },
      });
    }
    case 'AccessDeniedException':
      if (SIGNATURE_REFUSED.test(message)) break;
      return fail('AccessDenied', 'this service may not invoke the agent', {
        details: message.startsWith('Authorization method mismatch') ? { hint: JWT_HINT } : {},
      });
    case 'ResourceNotFoundException':
      return fail('AgentNotFound', 'the agent has no such runtime or endpoint');
    case 'ServiceQuotaExceededException':
      return fail('AgentUnavailable', 'the quota of agent sessions is used up', { retryAfterSeconds: 60 });
    case 'ConflictException':
      return fail('AgentFailed', 'the agent runtime reported a conflict');
    case 'RetryableConflictException':
      return fail('AgentUnavailable', 'the session is being started or stopped', passing);
    case 'RuntimeClientError':
      return fail('AgentFailed', 'the agent could not take the request', {
        details: { hint: NO_WEBSOCKET_HINT },
      });
    case 'ThrottlingException':
      return fail('Throttled', 'AgentCore is throttling requests', passing);
    case 'InternalServerException':
      return fail('AgentUnavailable', 'AgentCore is not available', passing);
    case 'GatewayTimeout':
      return fail('AgentTimeout', 'AgentCore timed out', asked);
    case 'OtherAnswer':
      return fail('AgentFailed', `AgentCore gave an unexpected answer (${status})`);
  }
  if (UNAUTHENTICATED.test(name ?? 'UnauthorizedException') || name === 'AccessDeniedException') {
    return fail('Unauthenticated', "AgentCore does not accept this service's credentials");
  }
  // A name that is not known: the status decides.
  return failureOfAnswer({ ...answer, headers: { ...headers, 'x-amzn-errortype': nameByStatus(status) } });
}

function nameByStatus(status: number): string {
  switch (status) {
    case 400:
      return 'ValidationException';
    case 401:
      return 'UnauthorizedException';
    case 402:
      return 'ServiceQuotaExceededException';
    case 403:
      return 'AccessDeniedException';
    case 404:
      return 'ResourceNotFoundException';
    case 424:
      return 'RuntimeClientError';
    case 429:
      return 'ThrottlingException';
    case 500:
    case 502:
    case 503:
      return 'InternalServerException';
    case 504:
      return 'GatewayTimeout';
    default:
      return 'OtherAnswer';
  }
}

/** `ValidationException:http://…` and `com.amazonaws.x#ValidationException` both name ValidationException. */
function exceptionName(raw: unknown): string | undefined {
  return typeof raw === 'string' ? raw.split(':', 1)[0]?.split('#').at(-1)?.trim() || undefined : undefined;
}

interface ErrorDocument {
  message?: string;
  Message?: string;
  reason?: string;
  fieldList?: { name?: string }[];
  __type?: unknown;
  code?: unknown;
}

function parseBody(body: string): ErrorDocument {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null) return {};
  const { message, Message, reason, fieldList, __type, code } = value as Record<string, unknown>;
  return {
    ...(typeof message === 'string' && { message }),
    ...(typeof Message === 'string' && { Message }),
    ...(typeof reason === 'string' && { reason: reason.slice(0, 100) }),
    ...(Array.isArray(fieldList) && {
      fieldList: fieldList.filter((field) => typeof field === 'object' && field),
    }),
    __type,
    code,
  };
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** A socket that could not be opened, or was lost before the prompt was handed over. */
export function failureOfSocket(cause: unknown): StreamError {
  const code = (cause as { code?: unknown }).code;
  // Without a system or TLS code it is ws or the HTTP parser that complains of the answer's form.
  if (typeof code !== 'string' || code.startsWith('HPE_')) {
    return new StreamError('AgentFailed', 'AgentCore gave an unexpected answer', { cause });
  }
  return new StreamError('AgentUnavailable', 'the agent cannot be reached', { cause, retry: 'backoff' });
}

/** A connection that broke while an answer was awaited. */
export function failureOfBreak(cause: unknown): StreamError {
  switch ((cause as { code?: unknown }).code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return new StreamError('AgentFailed', 'the agent sent a message over the size limit', { cause });
    case 'WS_ERR_INVALID_UTF8':
      return new StreamError('AgentFailed', 'the agent sent bytes that are not UTF-8', { cause });
  }
  const protocolError = String((cause as { code?: unknown }).code).startsWith('WS_ERR_');
  return protocolError
    ? new StreamError('AgentFailed', 'the agent broke the WebSocket protocol', { cause })
    : new StreamError('AgentInterrupted', 'the connection to the agent was lost', { cause });
}

/**
 * What a close code means to an answer that has not ended: nothing wrong (1000, 1005), or a failure.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
 */
export function failureOfClose(code: number, reason: string): StreamError | undefined {
  if (code === 1000 || code === 1005) return undefined;
  const cause = new Error(`the WebSocket was closed with ${code}`);
  // AgentCore's own limits close with 1008 and this text; any other reason is the agent's.
  const ownPolicy = code === 1008 && reason !== '' && !reason.startsWith('Policy violated:');
  if (code === 1011 || ownPolicy) {
    return new StreamError('AgentFailed', 'the agent failed', {
      cause,
      details: { agentError: boundedAgentError({ code, message: reason }) },
    });
  }
  const how =
    code === 1001
      ? 'the agent went away'
      : code === 1008
        ? 'AgentCore closed the connection at one of its limits'
        : code === 1006
          ? 'the connection to the agent was lost'
          : `the agent closed the connection with code ${code}`;
  return new StreamError('AgentInterrupted', how, { cause });
}
