import { findAgent } from '../agents.ts';
import type { Config } from '../config.ts';
import type { Route } from './routes.ts';
import { readStackStatus } from './stack-status.ts';

type ResourceRoute = Exclude<Route, { name: 'invoke' }>;

/**
 * The JSON body of every route but invoke, in the shapes of docs/openapi.yaml.
 *
 * @param remainingMs until the invocation must be over
 * @throws StreamError BadRequest, NotFound and what CloudFormation's failures become
 */
export async function readResource(
  route: ResourceRoute,
  config: Config,
  remainingMs: number,
): Promise<object> {
  switch (route.name) {
    case 'health':
      return { status: 'healthy', timestamp: new Date().toISOString(), environment: config.stage };
    case 'list':
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
    case 'agentStatus':
      return agentStatus(route.agentId, config);
    case 'stackStatus':
      return readStackStatus(route.stackName, config, remainingMs);
  }
}

/** Configured or not; no agent is asked, which would start one. */
function agentStatus(agentId: string, { agents }: Config): object {
  const found = findAgent(agents, agentId);
  return found
    ? { agentId, status: 'available', arn: found.entry.runtimeArn }
    : { agentId, status: 'unknown', arn: '', errorMessage: 'Agent not found' };
}
