import { findAgent } from '../agents.ts';
import type { Call } from './call.ts';
import { readStackStatus } from './stack-status.ts';

/** The documents of the routes that are answered without an agent, in the shapes of docs/openapi.yaml. */

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

/** Configured or not; no agent is asked, which would start one. */
export function agentStatus({ upstream }: Call, { agentId }: { agentId: string }): object {
  const found = findAgent(upstream.config.agents, agentId);
  return found
    ? { agentId, status: 'available', arn: found.entry.runtimeArn }
    : { agentId, status: 'unknown', arn: '', errorMessage: 'Agent not found' };
}

/** @throws StreamError BadRequest, NotFound and what CloudFormation's failures become */
export function stackStatus(
  { upstream: { config }, remainingMs }: Call,
  { stackName }: { stackName: string },
): Promise<object> {
  return readStackStatus(stackName, config, remainingMs() - config.deadlineReserveMs);
}
