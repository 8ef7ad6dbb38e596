import { findAgent } from '../agents.ts';
import type { Call } from './call.ts';
import { readStackStatus } from './stack-status.ts';

/** This file makes the documents of the routes that ask no agent, in the shapes of docs/openapi.yaml. */

export function health({ upstream: { config } }: Call): object {
  return { status: 'healthy', timestamp: new Date().toISOString(), environment: config.stage };
}

export function listAgents({ upstream: { config } }: Call): object {
  return {
    agents: config.agents.map(({ entry }) => ({
      id: entry.id,
      name: entry.name,
      description: entry.description,
      arn: entry.runtimeArn,
      aliasId: entry.qualifier,
      capabilities: entry.capabilities,
    })),
  };
}

/** Tells whether an agent is configured. The agent itself is not asked, because that would start it. */
export function agentStatus({ upstream }: Call, { agentId }: { agentId: string }): object {
  const found = findAgent(upstream.config.agents, agentId);
  return found
    ? { agentId, status: 'available', arn: found.entry.runtimeArn }
    : { agentId, status: 'unknown', arn: '', errorMessage: 'Agent not found' };
}

/** @throws StreamError BadRequest, NotFound, and the errors that CloudFormation's failures become */
export function stackStatus(
  { upstream: { config }, remainingMs }: Call,
  { stackName }: { stackName: string },
): Promise<object> {
  return readStackStatus(stackName, config, remainingMs() - config.deadlineReserveMs);
}
