import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type KnownCredentials, refuseSignature } from './sigv4.ts';

export interface LocalRuntime {
  runtimeArn: string;
  /** @default ['DEFAULT'] */
  qualifiers?: string[];
  /** The agent's container, `http://127.0.0.1:8080`: it serves /ws and /invocations. */
  target: string;
}

/** A request that is in order. */
export interface Admitted {
  runtime: LocalRuntime;
  qualifier: string;
  sessionId: string;
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

/** What AgentCore answers instead of what was asked for. */
export class Refusal {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  constructor(status: number, errorType: string, message: string, more: object = {}) {
    this.status = status;
    this.headers = {
      'content-type': 'application/json',
      'x-amzn-ErrorType': `${errorType}:`,
      'x-amzn-requestid': randomUUID(),
    };
    this.body = JSON.stringify({ message, ...more });
  }
}

/** What the caller is told when the container is at fault. */
export function runtimeClientError(message: string): Refusal {
  return new Refusal(
    424,
    'RuntimeClientError',
    `${message}. Please check your CloudWatch logs for more information.`,
  );
}

/** Finds out who is meant by a request to an operation of a runtime, or why it is refused. */
export function admit(
  { method = 'GET', url = '', headers }: IncomingMessage,
  operation: 'ws' | 'invocations',
  body: Uint8Array,
  { runtimes, credentials, now }: AdmissionRules,
): Admitted | Refusal {
  const [path = '', query = ''] = url.split('?');
  const [, encodedArn, asked] = /^\/runtimes\/(.+)\/(ws|invocations)$/.exec(path) ?? [];
  if (encodedArn === undefined || asked !== operation) {
    return new Refusal(404, 'UnknownOperationException', 'Unknown operation');
  }
  const arn = decoded(encodedArn);
  if (arn === undefined) {
    return new Refusal(400, 'ValidationException', 'The path cannot be parsed', { reason: 'CannotParse' });
  }
  const signature = refuseSignature(
    { method, path, query, headers, body },
    {
      credentials,
      region: arn.split(':')[3] ?? 'us-east-1',
      service: 'bedrock-agentcore',
      now,
      clockSkewMs: CLOCK_SKEW_MS,
    },
  );
  if (signature) return new Refusal(403, 'AccessDeniedException', signature);

  const parameters = new URLSearchParams(query);
  const sessionId = String(headers[SESSION_HEADER] ?? randomUUID());
  if (sessionId.length < 33 || sessionId.length > 256) {
    return new Refusal(400, 'ValidationException', 'Invalid length for parameter runtimeSessionId', {
      reason: 'FieldValidationFailed',
      fieldList: [{ name: 'runtimeSessionId', message: 'length must be between 33 and 256' }],
    });
  }
  const runtime = runtimes.find(({ runtimeArn }) => runtimeArn === arn);
  const qualifier = parameters.get('qualifier') ?? 'DEFAULT';
  if (!runtime || !(runtime.qualifiers ?? ['DEFAULT']).includes(qualifier)) {
    return new Refusal(
      404,
      'ResourceNotFoundException',
      `No endpoint or agent found with qualifier '${qualifier}' for agent '${arn}'`,
    );
  }
  return { runtime, qualifier, sessionId };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Of the caller's headers, those that reach a container: nothing of the signature, no compression, no cookies. */
const FORWARDED =
  /^(accept|content-type|connection|upgrade|sec-websocket-(key|version)|traceparent|tracestate|baggage|x-amzn-trace-id|x-amzn-bedrock-agentcore-runtime-.+)$/;

export function forwardedHeaders({ headers }: IncomingMessage, sessionId: string): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => FORWARDED.test(name));
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
    [SESSION_HEADER]: sessionId,
  };
}
