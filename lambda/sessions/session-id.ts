import { randomUUID } from 'node:crypto';

/** The form of a session id. AgentCore takes 33 to 256 of these characters. */
const SESSION_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{32,255}$/;

/** Returns the caller's session id, or a new one if the caller gives none or an invalid one. It never throws. */
export function acceptOrMintSessionId(sessionId: unknown): string {
  return isSessionId(sessionId) ? sessionId : randomUUID();
}

export function isSessionId(value: unknown): value is string {
  return typeof value === 'string' && SESSION_ID.test(value);
}
