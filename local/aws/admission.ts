import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { findRuntime, isArn, type LocalRuntime, regionOf } from './local-runtime.ts';
import { invalidField, Refusal } from './refusal.ts';
import { type KnownCredentials, refuseSignature } from './sigv4.ts';

/** The operations of a runtime, as the last part of their paths, and their methods. */
const OPERATIONS = { ws: 'GET', invocations: 'POST', stopruntimesession: 'POST' } as const;

export type Operation = keyof typeof OPERATIONS;

/** A request that is in order. */
export interface Admitted {
  operation: Operation;
  runtime: LocalRuntime;
  qualifier: string;
  sessionId: string;
  /** Headers for the container; names in lower case. */
  headers: Record<string, string>;
}

export interface AdmissionRules {
  runtimes: readonly LocalRuntime[];
  credentials: readonly KnownCredentials[];
  /** Milliseconds since the epoch. */
  now: number;
}

export const SESSION_HEADER = 'x-amzn-bedrock-agentcore-runtime-session-id';

/** General SigV4: five minutes. */
const CLOCK_SKEW_MS = 300_000;
/** What can stand in a header as it is. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/** Finds out what is asked of which runtime by whom, or why it is refused. */
export function admit(
  { method = 'GET', url = '', headers }: IncomingMessage,
  body: Uint8Array,
  { runtimes, credentials, now }: AdmissionRules,
  operations: readonly Operation[],
): Admitted | Refusal {
  const [path = '', ...rest] = url.split('?');
  const query = rest.join('?');
  const [, segment, asked] = /^\/runtimes\/(.+)\/([a-z]+)$/.exec(path) ?? [];
  const operation = operations.find((one) => one === asked && OPERATIONS[one] === method);
  if (segment === undefined || operation === undefined) {
    return new Refusal(404, 'UnknownOperationException', 'Unknown operation');
  }
  const arnOrId = decoded(segment);
  if (arnOrId === undefined) return cannotParse('The request URI');

  const parameters = new URLSearchParams(query);
  const qualifier = parameters.get('qualifier') ?? 'DEFAULT';
  const name = { arnOrId, accountId: parameters.get('accountId') ?? undefined, qualifier };
  const region = regionOf(runtimes, name);
  const signature = refuseSignature(
    { method, path, query, headers, body },
    { credentials, region, service: 'bedrock-agentcore', now, clockSkewMs: CLOCK_SKEW_MS },
  );
  if (signature) return new Refusal(403, 'AccessDeniedException', signature);

  const fromQuery = operation === 'ws' ? headersInQuery(parameters) : {};
  const given = String(headers[SESSION_HEADER] ?? fromQuery[SESSION_HEADER] ?? '');
  // A session that is not named is a new one; one that does not exist cannot be stopped.
  const sessionId = given || (operation === 'stopruntimesession' ? '' : randomUUID());
  const invalid = invalidSession(sessionId) ?? invalidHeaders(fromQuery) ?? invalidAccount(name);
  if (invalid) return invalid;
  const runtime = findRuntime(runtimes, name);
  if (!runtime) {
    return new Refusal(
      404,
      'ResourceNotFoundException',
      `No endpoint or agent found with qualifier '${qualifier}' for agent '${arnOrId}'`,
    );
  }
  const forwarded = { ...fromQuery, ...forwardedHeaders(headers), [SESSION_HEADER]: sessionId };
  return { operation, runtime, qualifier, sessionId, headers: forwarded };
}

/** What the caller is told when a part of the request has the wrong form. */
export function cannotParse(what: string): Refusal {
  return new Refusal(400, 'ValidationException', `${what} cannot be parsed`, { reason: 'CannotParse' });
}

function invalidSession(sessionId: string): Refusal | undefined {
  const message = 'Invalid length for parameter runtimeSessionId';
  const expected = 'length must be between 33 and 256';
  const isRight = sessionId.length >= 33 && sessionId.length <= 256;
  return isRight ? undefined : invalidField('runtimeSessionId', message, expected);
}

/** A line break in a value would be a header of its own in the container. */
function invalidHeaders(fromQuery: Record<string, string>): Refusal | undefined {
  const wrong = Object.keys(fromQuery).find((name) => !PRINTABLE.test(fromQuery[name] ?? ''));
  return wrong === undefined
    ? undefined
    : invalidField(wrong, 'Invalid header value', 'must be printable ASCII');
}

function invalidAccount({ arnOrId, accountId }: { arnOrId: string; accountId: string | undefined }) {
  if (isArn(arnOrId) || /^\d{12}$/.test(accountId ?? '')) return undefined;
  const message = 'accountId is required when the agent runtime is given by its id';
  return invalidField('accountId', message, 'must be 12 digits');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Of the caller's headers, those that reach a container: nothing of the signature, no compression, no cookies. */
const FORWARDED =
  /^(accept|content-type|connection|upgrade|sec-websocket-(key|version)|traceparent|tracestate|baggage|x-amzn-trace-id|x-amzn-bedrock-agentcore-runtime-.+)$/;
/** What a browser, which can set no headers on a WebSocket, may give as parameters instead. */
const IN_QUERY = /^x-amzn-bedrock-agentcore-runtime-(session-id|custom-[a-z0-9-]+)$/;

function forwardedHeaders(headers: IncomingMessage['headers']): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => FORWARDED.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

function headersInQuery(parameters: URLSearchParams): Record<string, string> {
  const named = [...parameters].map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(named.filter(([name]) => IN_QUERY.test(name)));
}
