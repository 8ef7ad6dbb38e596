import type { RuntimeOperation } from '../arn.ts';
import { withoutSignedRequest } from '../aws-message.ts';
import { type ErrorDetails, StreamError, type StreamErrorOptions } from '../errors.ts';

/** An HTTP answer with which the data plane refuses a request. */
export interface HttpAnswer {
  /** The operation of the request. */
  operation: RuntimeOperation;
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The start of the body. */
  body: string;
}

/** The meaning of an exception or a status. */
type Meaning =
  | 'invalid'
  | 'unauthenticated'
  | 'denied'
  | 'notFound'
  | 'quota'
  | 'conflict'
  | 'starting'
  | 'container'
  | 'slowStart'
  | 'throttled'
  | 'unavailable'
  | 'timeout'
  | 'other';

const BY_STATUS: Record<number, Meaning> = {
  400: 'invalid',
  401: 'unauthenticated',
  402: 'quota',
  403: 'denied',
  404: 'notFound',
  424: 'container',
  429: 'throttled',
  500: 'unavailable',
  502: 'unavailable',
  503: 'unavailable',
  504: 'timeout',
};

/** @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-get-started-websocket.html */
const BY_NAME: Record<string, Meaning> = {
  ValidationException: 'invalid',
  AccessDeniedException: 'denied',
  ResourceNotFoundException: 'notFound',
  ServiceQuotaExceededException: 'quota',
  ConflictException: 'conflict',
  RetryableConflictException: 'starting',
  RuntimeClientError: 'container',
  ThrottlingException: 'throttled',
  InternalServerException: 'unavailable',
};

/** The exceptions by which any AWS service refuses credentials or a signature. */
const UNAUTHENTICATED =
  /^(ExpiredToken|InvalidSignature|UnrecognizedClient|IncompleteSignature|MissingAuthenticationToken)(Exception)?$|^(SignatureDoesNotMatch|InvalidClientTokenId|UnauthorizedException)$/;

/** The beginnings of an AccessDeniedException's message that concern the signature and not the permission. */
const SIGNATURE_REFUSED =
  /^(The request signature we calculated|Signature expired|Signature not yet current|The security token included in the request is)/;

/**
 * The message of a RuntimeClientError when the container was not up in time. Nothing was sent to the container then.
 */
const SLOW_START = /^Runtime initialization time exceeded/i;

/** The container's own status in the message of a RuntimeClientError, which AgentCore writes in several ways. */
const CONTAINER_STATUS = /received error (?:code )?\(?([1-5]\d\d)\)? from runtime/i;

/** The statuses with which servers answer an upgrade that they do not support. */
const NO_HANDLER_STATUS = new Set(['403', '404', '405', '426', '501']);

const CONTAINER_HINT = "the runtime's container may be failing: check its log group";
const CONTAINER_HINTS: Record<RuntimeOperation, string> = {
  ws: 'the runtime may have no WebSocket handler (see docs/agents.md), or its container may be failing: check its log group',
  invocations: CONTAINER_HINT,
  stopruntimesession: CONTAINER_HINT,
};
const SLOW_START_HINT =
  "the container takes longer to start than AgentCore waits: shorten its start-up (imports, downloads, an image's size), or use a V2 runtime, which starts from a snapshot";
const JWT_HINT = 'the runtime must use IAM authorisation, not JWT';

/** Makes the error of a refused request, first by the name of the exception and then by the status. */
export function failureOfAnswer({ operation, status, headers, body }: HttpAnswer): StreamError {
  const document = parseBody(body);
  const name = exceptionName(single(headers['x-amzn-errortype']) ?? document.__type ?? document.code);
  const isOfAws = headers['x-amzn-errortype'] !== undefined || typeof document.__type === 'string';
  const message = document.message ?? document.Message ?? '';
  // Without an exception of AWS the body may be a container's, whose words must not be logged.
  const loggable = isOfAws ? withoutSignedRequest(message) : '';
  const instead = message === '' ? '(no message)' : `(${message.length} characters)`;
  const cause = new Error(
    `AgentCore answered ${status} ${name ?? '(no exception name)'}: ${loggable || instead}`,
  );
  const fail = (code: StreamError['code'], text: string, options: StreamErrorOptions = {}) => {
    const error = new StreamError(code, text, { cause, ...options });
    error.upstreamRequestId = requestIdOf(headers);
    return error;
  };
  const hint = (text: string) => ({ details: { hint: text } });
  const retryAfterSeconds = secondsOf(single(headers['retry-after']));
  const asked: StreamErrorOptions = retryAfterSeconds ? { retryAfterSeconds } : {};
  const transient: StreamErrorOptions = { ...asked, retry: 'backoff' };

  switch (meaningOf(name, status, message)) {
    case 'invalid':
      return fail('BadRequest', 'AgentCore rejected the request as invalid', {
        details: validationOf(document),
      });
    case 'unauthenticated':
      return fail('Unauthenticated', "AgentCore does not accept this service's credentials");
    case 'denied':
      return fail(
        'AccessDenied',
        'this service is not allowed to invoke the agent',
        message.startsWith('Authorization method mismatch') ? hint(JWT_HINT) : {},
      );
    case 'notFound':
      return fail('AgentNotFound', 'AgentCore has no such runtime or endpoint');
    case 'quota':
      return fail('AgentUnavailable', 'the quota of agent sessions is used up', { retryAfterSeconds: 60 });
    case 'conflict':
      return fail('AgentFailed', 'the agent runtime reported a conflict');
    case 'starting':
      return fail('AgentUnavailable', 'the session is being started or stopped', transient);
    case 'container':
      return fail(
        'AgentFailed',
        'the agent could not take the request',
        hint(containerHint(operation, message)),
      );
    case 'slowStart':
      return fail('AgentUnavailable', 'the agent was not up in time', {
        ...transient,
        ...hint(SLOW_START_HINT),
      });
    case 'throttled':
      return fail('Throttled', 'AgentCore is throttling requests', transient);
    case 'unavailable':
      return fail('AgentUnavailable', 'AgentCore is not available', transient);
    case 'timeout':
      return fail('AgentTimeout', 'AgentCore timed out', asked);
    case 'other':
      return fail('AgentFailed', `AgentCore gave an unexpected answer (${status})`);
  }
}

function meaningOf(name: string | undefined, status: number, message: string): Meaning {
  if (name !== undefined && isUnauthenticated(name)) return 'unauthenticated';
  const byName = name !== undefined && Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  const meaning = byName ?? BY_STATUS[status] ?? 'other';
  if (meaning === 'denied' && SIGNATURE_REFUSED.test(message)) return 'unauthenticated';
  return meaning === 'container' && SLOW_START.test(message) ? 'slowStart' : meaning;
}

function containerHint(operation: HttpAnswer['operation'], message: string): string {
  const [, status] = CONTAINER_STATUS.exec(message) ?? [];
  if (status === undefined) return CONTAINER_HINTS[operation];
  const answered = `the container answered ${operation === 'ws' ? 'the upgrade ' : ''}with ${status}`;
  return operation === 'ws' && NO_HANDLER_STATUS.has(status)
    ? `${answered}: it may have no WebSocket handler (see docs/agents.md)`
    : `${answered}: check its log group`;
}

/** Whether an AWS exception of this name means the credentials or the signature. */
export function isUnauthenticated(exceptionName: string): boolean {
  return UNAUTHENTICATED.test(exceptionName);
}

/** AgentCore's id of a request, which AWS support asks for. */
export function requestIdOf(headers: HttpAnswer['headers']): string | undefined {
  return single(headers['x-amzn-requestid'])?.slice(0, 128) || undefined;
}

/**
 * Returns the name of an exception: `ValidationException:http://…` and `com.amazonaws.x#ValidationException` both name
 * ValidationException. A text without the form of a name is ignored, because the name is logged and the text may be a
 * container's words.
 */
function exceptionName(raw: unknown): string | undefined {
  const name = typeof raw === 'string' ? raw.split(':', 1)[0]?.split('#').at(-1)?.trim() : undefined;
  return name !== undefined && /^[A-Za-z]\w{0,99}$/.test(name) ? name : undefined;
}

/** Reads seconds or a date. @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function secondsOf(retryAfter = ''): number | undefined {
  if (/^\d{1,6}$/.test(retryAfter)) return Number(retryAfter) || undefined;
  const inMs = retryAfter.endsWith(' GMT') ? Date.parse(retryAfter) - Date.now() : 0;
  return inMs > 0 ? Math.ceil(inMs / 1000) : undefined;
}

function validationOf({ reason, fieldList }: ErrorDocument): ErrorDetails {
  const fields = fieldList?.map((field) => field.name).filter((field) => typeof field === 'string');
  return { ...(reason && { reason }), ...(fields && { fields }) };
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
