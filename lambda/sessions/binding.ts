import { createHash } from 'node:crypto';
import { StreamError } from '../errors.ts';

export interface BindingOptions {
  /** Whether a session belongs to the caller that began it. */
  sessionBinding: 'none' | 'iam';
  /** Whether the agent is told the caller's identity. */
  userId: 'none' | 'iam';
}

/** A session as the caller and AgentCore know it. */
export interface BoundSession {
  /** The id that the caller uses. */
  sessionId: string;
  /** The id that AgentCore uses. */
  runtimeSessionId: string;
  /** The caller's identity, for the agent. */
  userId?: string;
  /** The hashed identity that the session is bound to. */
  owner?: string;
}

/**
 * Finds the session that a caller means. The id of a bound session at AgentCore is derived from the caller's identity,
 * so that the caller's id alone leads no other caller to the session.
 *
 * @param identity the caller's identity, as the host has verified it
 * @throws StreamError AccessDenied when an identity is needed and the caller has none
 */
export function bindSession(
  sessionId: string,
  identity: string | undefined,
  { sessionBinding, userId }: BindingOptions,
): BoundSession {
  if (sessionBinding === 'none' && userId === 'none') return { sessionId, runtimeSessionId: sessionId };
  if (identity === undefined) {
    throw new StreamError('AccessDenied', 'the caller has no IAM identity of its own', {
      details: { sessionId, hint: 'sign the request with credentials that only one caller has' },
    });
  }
  return {
    sessionId,
    // The id begins with a letter, because a hash may begin with a character that AgentCore refuses.
    runtimeSessionId: sessionBinding === 'iam' ? `s${hash(identity, sessionId)}` : sessionId,
    ...(userId === 'iam' && { userId: identity }),
    ...(sessionBinding === 'iam' && { owner: hash(identity) }),
  };
}

/**
 * Returns the key of a session in the store. A reader of the key does not learn the session id, which opens the
 * session.
 */
export function storeKeyOf(
  runtimeArn: string,
  qualifier: string,
  { runtimeSessionId }: BoundSession,
): string {
  return hash(runtimeArn, qualifier, runtimeSessionId);
}

/** Returns the SHA-256 in base64url. The parts are hashed as JSON, so that the ends of the parts stay distinct. */
function hash(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
