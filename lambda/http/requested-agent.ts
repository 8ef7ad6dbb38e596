import { type Agent, findAgent } from '../agents.ts';
import { parseRuntimeArn } from '../arn.ts';
import { StreamError } from '../errors.ts';

/** Returns the agent that a caller names. Without a name, the agent is clear if only one is configured. */
export function requestedAgent(agents: readonly Agent[], agentId: string | undefined): Agent | undefined {
  if (agentId !== undefined) return findAgent(agents, agentId);
  return agents.length === 1 ? agents[0] : undefined;
}

/** @throws StreamError BadRequest or AgentNotFound, naming `agentId` */
export function requireAgent(
  agents: readonly Agent[],
  agentId: string | undefined,
  sessionId?: string,
): Agent {
  const agent = requestedAgent(agents, agentId);
  if (agent) return agent;
  const details = { ...(sessionId !== undefined && { sessionId }), fields: ['agentId'] };
  const expected = 'the id, name or runtime ARN of a configured agent';
  if (agentId === undefined) {
    const places = 'in the path, or as "agentId" in the body';
    throw new StreamError('BadRequest', `"agentId": expected ${expected}, ${places}, got nothing`, {
      details,
    });
  }
  if (agentId.startsWith('arn:')) {
    try {
      parseRuntimeArn(agentId);
    } catch (cause) {
      throw new StreamError('BadRequest', `"agentId": ${(cause as Error).message}`, { details });
    }
  }
  throw new StreamError('AgentNotFound', `"agentId": expected ${expected}`, { details });
}
