import type { SessionRequest } from '../agentcore/exchange.ts';
import type { Agent } from '../agents.ts';
import { StreamError } from '../errors.ts';
import { bindSession, storeKeyOf } from '../sessions/binding.ts';
import { isSessionId } from '../sessions/session-id.ts';
import type { Call } from './call.ts';
import { requireAgent } from './requested-agent.ts';
import type { SessionPath } from './routes.ts';

/** The session of a call, as the caller, the store and AgentCore know it. */
export interface CallSession {
  /** The id that the caller uses. */
  sessionId: string;
  /** The session's key in the store. */
  key: string;
  /** The hashed identity that the session is bound to. */
  owner?: string;
  /** The session as AgentCore knows it. */
  runtimeSession: Pick<SessionRequest, 'agent' | 'sessionId' | 'userId'>;
}

/** @throws StreamError AccessDenied when sessions are bound and the caller has no identity */
export function sessionOf({ request, upstream }: Call, agent: Agent, sessionId: string): CallSession {
  const bound = bindSession(sessionId, request.identity, upstream.config);
  const { userId, owner } = bound;
  return {
    sessionId,
    key: storeKeyOf(agent.entry.runtimeArn, agent.entry.qualifier, bound),
    ...(owner !== undefined && { owner }),
    runtimeSession: {
      agent,
      sessionId: bound.runtimeSessionId,
      ...(userId !== undefined && { userId }),
    },
  };
}

/**
 * Returns the session that a path names.
 *
 * @throws StreamError AgentNotFound, BadRequest when the session id is not valid, and the errors of {@link sessionOf}
 */
export function namedSession(call: Call, { agentId, sessionId }: SessionPath): CallSession {
  const agent = requireAgent(call.upstream.config.agents, agentId, sessionId);
  if (!isSessionId(sessionId)) {
    const expected = '33 to 256 letters, digits, "_" or "-", the first one a letter or digit';
    throw new StreamError('BadRequest', `"sessionId": expected ${expected}`, {
      details: { fields: ['sessionId'] },
    });
  }
  call.telemetry.about({ agent: agent.entry.id, session_id: sessionId });
  return sessionOf(call, agent, sessionId);
}
