import { randomUUID } from 'node:crypto';

/** AgentCore takes 33 to 256 characters of these. */
const SESSION_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{32,255}$/;

/** The caller's session id as it is, or a new one when it has none or an invalid one; never an error. */
export function acceptOrMintSessionId(sessionId: unknown): string {
  return typeof sessionId === 'string' && SESSION_ID.test(sessionId) ? sessionId : randomUUID();
}
