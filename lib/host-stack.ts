import type { Stack, StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AgentStreamStack } from './agent-stream-stack.ts';
import type { Deployment } from './deployment.ts';
import type { WebEndpointProps } from './web-function-props.ts';
import { AgentStreamWebStack } from './web-stack.ts';

/** The maker of a deployment's stack, by the value of the context key `host`. */
const STACKS = { 'function-url': functionUrlStack, web: webStack } as const;

type Props = StackProps & Deployment;

/**
 * Returns the stack of the host that a deployment asks for.
 *
 * @throws Error naming a prop that the host does not support
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
      'probe: expected only with host=function-url; let the service that calls a Web Function probe it',
    );
  }
  return new AgentStreamWebStack(scope, id, props);
}
