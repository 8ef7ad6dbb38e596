import type { Config } from '../config.ts';
import { StreamError } from '../errors.ts';
import type { Route } from './routes.ts';

type ResourceRoute = Exclude<Route, { name: 'invoke' }>;

/**
 * The JSON body of every route but invoke, in the shapes of the existing API.
 *
 * @throws StreamError BadRequest, NotFound and what CloudFormation's failures become
 */
export async function readResource(route: ResourceRoute, config: Config): Promise<object> {
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
      return stackStatus(route.stackName, config);
  }
}

/** Configured or not; no agent is asked, which would start one. */
function agentStatus(agentId: string, { agents }: Config): object {
  const found = agents.find(({ entry }) => [entry.id, entry.name, entry.runtimeArn].includes(agentId));
  return found
    ? { agentId, status: 'available', arn: found.entry.runtimeArn }
    : { agentId, status: 'unknown', arn: '', errorMessage: 'Agent not found' };
}

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html StackName */
const STACK_NAME = /^[a-zA-Z][a-zA-Z0-9-]{0,127}$/;

async function stackStatus(stackName: string, { stackStatusPrefix }: Config): Promise<object> {
  if (stackStatusPrefix === undefined) throw new StreamError('NotFound', 'no such route');
  if (!STACK_NAME.test(stackName)) {
    throw new StreamError(
      'BadRequest',
      '"stackName": expected a letter, then up to 127 letters, digits or hyphens',
      { details: { fields: ['stackName'] } },
    );
  }
  const unknown = () => new StreamError('NotFound', 'no such stack');
  if (!stackName.startsWith(stackStatusPrefix)) throw unknown();
  // Half a megabyte that only this route needs.
  const { describeStack } = await import('./stacks.ts');
  const stack = await describeStack(stackName);
  if (stack === 'not found') throw unknown();
  if (stack === 'throttled') throw new StreamError('Throttled', 'CloudFormation is throttling requests');
  if (stack === 'denied') throw new StreamError('AccessDenied', 'this service may not describe the stack');
  return stack;
}
