import type { SessionRequest } from '../agentcore/exchange.ts';
import type { Agent } from '../agents.ts';
import { StreamError } from '../errors.ts';
import { bindSession, storeKeyOf } from '../sessions/binding.ts';
import { isSessionId } from '../sessions/session-id.ts';
import type { Call } from './call.ts';
import { requireAgent } from './requested-agent.ts';
import type { SessionPath } from './routes.ts';

/** The session that a call is about, as each side knows it. */
export interface CallSession {
  /** What the caller calls it. */
  sessionId: string;
  /** Its key in the store. */
  key: string;
  /** Who it is bound to, hashed. */
  owner?: string;
  asAgentCoreKnowsIt: Pick<SessionRequest, 'agent' | 'sessionId' | 'userId'>;
}

/** @throws StreamError AccessDenied where sessions are bound and the caller has no identity */
export function sessionOf({ request, upstream }: Call, agent: Agent, sessionId: string): CallSession {
  const bound = bindSession(sessionId, request.identity, upstream.config);
  const { userId, owner } = bound;
  return {
    sessionId,
    key: storeKeyOf(agent.entry.runtimeArn, agent.entry.qualifier, bound),
    ...(owner !== undefined && { owner }),
    asAgentCoreKnowsIt: {
      agent,
      sessionId: bound.runtimeSessionId,
      ...(userId !== undefined && { userId }),
    },
  };
}

/**
 * The session that a path names.
 *
 * @throws StreamError AgentNotFound, BadRequest where the id is none, and what {@link sessionOf} throws
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
