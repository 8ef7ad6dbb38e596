import type { Stack, StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AgentStreamStack } from './agent-stream-stack.ts';
import type { Deployment } from './deployment.ts';
import type { WebEndpointProps } from './web-function-props.ts';
import { AgentStreamWebStack } from './web-stack.ts';

/** What a deployment runs on, by the context key `host`. */
const STACKS = { 'function-url': functionUrlStack, web: webStack } as const;

type Props = StackProps & Deployment;

/**
 * The stack of the host that a deployment asks for.
 *
 * @throws Error naming the prop that its host cannot have
 */
export function stackOnHost(scope: Construct, id: string, props: Props): Stack {
  return STACKS[props.host ?? 'function-url'](scope, id, props);
}

const WEB_ONLY: readonly (keyof WebEndpointProps)[] = [
  'maxEnvironments',
  'maxConcurrencyPerEnvironment',
  'replicaRegions',
];

function functionUrlStack(scope: Construct, id: string, props: Props): Stack {
  const foreign = WEB_ONLY.find((name) => props[name] !== undefined);
  if (foreign === undefined) return new AgentStreamStack(scope, id, props);
  throw new Error(`${foreign}: expected only with host=web; a Function URL has reservedConcurrency instead`);
}

function webStack(scope: Construct, id: string, props: Props): Stack {
  if (props.probe !== undefined) {
    throw new Error(
      'probe: expected only with host=function-url; let the service that calls a Web Function ask it',
    );
  }
  return new AgentStreamWebStack(scope, id, props);
}
