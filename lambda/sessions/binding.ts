import { createHash } from 'node:crypto';
import { StreamError } from '../errors.ts';

export interface BindingOptions {
  /** Whether a session belongs to the caller that began it. */
  sessionBinding: 'none' | 'iam';
  /** Whether the agent is told who asks. */
  userId: 'none' | 'iam';
}

/** A session as each side knows it. */
export interface BoundSession {
  /** What the caller calls it. */
  sessionId: string;
  /** What AgentCore calls it. */
  runtimeSessionId: string;
  /** Who asks, for the agent. */
  userId?: string;
  /** Who the session is bound to, hashed. */
  owner?: string;
}

/**
 * Finds the session that a caller means. A bound one is derived from the caller's identity, so that the id alone leads
 * nobody else to it.
 *
 * @param identity of the caller, as the host has verified it
 * @throws StreamError AccessDenied where an identity is needed and there is none
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
    // A letter first, as AgentCore wants it.
    runtimeSessionId: sessionBinding === 'iam' ? `s${hash(identity, sessionId)}` : sessionId,
    ...(userId === 'iam' && { userId: identity }),
    ...(sessionBinding === 'iam' && { owner: hash(identity) }),
  };
}

/** Key of a session in the store. It tells nobody the session id, which opens the session. */
export function storeKeyOf(
  runtimeArn: string,
  qualifier: string,
  { runtimeSessionId }: BoundSession,
): string {
  return hash(runtimeArn, qualifier, runtimeSessionId);
}

/** SHA-256, base64url. The parts are JSON, so that none of them runs into the next. */
function hash(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
