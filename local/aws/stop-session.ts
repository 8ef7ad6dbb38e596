import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Admitted, cannotParse, SESSION_HEADER } from './admission.ts';
import type { Service } from './operation.ts';
import { invalidField, Refusal } from './refusal.ts';

const CLIENT_TOKEN = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,256}$/;

/** StopRuntimeSession: ends a session, with what is open on it. */
export async function stopSession(
  { sessions }: Service,
  { runtime, sessionId }: Admitted,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const clientToken = clientTokenIn(body);
  const refusal =
    clientToken instanceof Refusal ? clientToken : await sessions.stop(runtime, sessionId, clientToken);
  if (refusal) {
    response.writeHead(refusal.status, refusal.headers).end(refusal.body);
    return;
  }
  response.writeHead(200, {
    'content-type': 'application/json',
    'x-amzn-requestid': randomUUID(),
    [SESSION_HEADER]: sessionId,
  });
  response.end('{}');
}

/** The token is optional, and so is the body. */
function clientTokenIn(body: Buffer): string | undefined | Refusal {
  if (body.length === 0) return undefined;
  const request = parsed(body);
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    return cannotParse('The request body');
  }
  const { clientToken } = request as { clientToken?: unknown };
  if (clientToken === undefined || isToken(clientToken)) return clientToken;
  return invalidField(
    'clientToken',
    'Invalid value for parameter clientToken',
    'must be 33 to 256 letters, digits or hyphens',
  );
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 33 && value.length <= 256 && CLIENT_TOKEN.test(value);
}
