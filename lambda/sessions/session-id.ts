import { randomUUID } from 'node:crypto';

/** AgentCore takes 33 to 256 characters of these. */
const SESSION_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{32,255}$/;

/** The caller's session id as it is, or a new one when it has none or an invalid one; never an error. */
export function acceptOrMintSessionId(sessionId: unknown): string {
  return isSessionId(sessionId) ? sessionId : randomUUID();
}

export function isSessionId(value: unknown): value is string {
  return typeof value === 'string' && SESSION_ID.test(value);
}
