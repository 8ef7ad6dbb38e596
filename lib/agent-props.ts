import { Stack, Token } from 'aws-cdk-lib';
import { CfnRuntime, type IRuntimeEndpoint, type IRuntimeRef } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Construct } from 'constructs';
import { type AgentEntry, parseAgents } from '../lambda/agents.ts';
import { arnOf } from './ssm-arn.ts';

/** The options of an agent, without its runtime. `docs/agents.md` lists the defaults of options that are left out. */
type AgentOptions = Pick<AgentEntry, 'id' | 'name'> & Partial<Omit<AgentEntry, 'runtimeArn' | 'qualifier'>>;

/** An agent that is given by the ARN of its runtime, or by `ssm:/name` of the parameter that holds the ARN. */
export type AgentByArn = AgentOptions & {
  readonly runtimeArn: string;
  /** Name of the runtime's endpoint. @default "DEFAULT" */
  readonly qualifier?: string;
  readonly runtime?: never;
  readonly endpoint?: never;
};

/**
 * An agent that is given by a runtime of `aws-cdk-lib/aws-bedrockagentcore`: `Runtime`, an imported one, or
 * `CfnRuntime`.
 */
export type AgentByRuntime = AgentOptions & {
  readonly runtime: IRuntimeRef;
  /** The endpoint or its name. @default - the endpoint "DEFAULT", which every runtime has */
  readonly endpoint?: IRuntimeEndpoint | string;
  readonly runtimeArn?: never;
  readonly qualifier?: never;
};

/** One agent, in either form. */
export type AgentProps = AgentByArn | AgentByRuntime;

/**
 * Turns agents as props into the entries that the function reads. Tokens are not validated.
 *
 * @throws Error naming the agent and the property, the expected value and the given one
 */
export function agentEntries(scope: Construct, agents: readonly AgentProps[]): AgentEntry[] {
  const isToken = (text: string) => Token.isUnresolved(text);
  if (!Array.isArray(agents)) return parseAgents(agents, isToken);
  return parseAgents(
    agents.map((agent: AgentProps) => entryOf(scope, agent)),
    isToken,
  );
}

function entryOf(scope: Construct, agent: AgentProps): unknown {
  if (typeof agent !== 'object' || agent === null) return agent;
  const { runtime, endpoint, ...options } = agent;
  const label = `agent "${agent.id}"`;
  if (runtime === undefined) {
    if (endpoint !== undefined) {
      throw new Error(`${label}: "endpoint" is for a "runtime": beside a "runtimeArn" write "qualifier"`);
    }
    const { runtimeArn } = options;
    const isText = typeof runtimeArn === 'string';
    return isText ? { ...options, runtimeArn: arnOf(scope, label, runtimeArn) } : options;
  }
  for (const key of ['runtimeArn', 'qualifier'] as const) {
    if (options[key] === undefined) continue;
    const instead = key === 'qualifier' ? ': write "endpoint"' : ': use one or the other';
    throw new Error(`${label}: "runtime" and "${key}" are both given${instead}`);
  }
  const runtimeArn = runtimeArnOf(label, runtime);
  checkReachable(label, runtime);
  // CloudFormation would not wait for the endpoint otherwise: the entry holds only its name, as text.
  if (typeof endpoint === 'object' && Construct.isConstruct(endpoint)) scope.node.addDependency(endpoint);
  return {
    ...options,
    runtimeArn,
    ...(endpoint !== undefined && { qualifier: endpointNameOf(label, endpoint, runtime) }),
  };
}

function runtimeArnOf(label: string, runtime: unknown): string {
  const arn = (runtime as Partial<IRuntimeRef> | null)?.runtimeRef?.agentRuntimeArn;
  if (typeof arn === 'string') return arn;
  const instead = typeof runtime === 'string' ? ': an ARN is given as "runtimeArn"' : '';
  throw new Error(
    `${label}: "runtime" expected a Runtime or CfnRuntime of aws-cdk-lib/aws-bedrockagentcore, got ${kindOf(runtime)}${instead}`,
  );
}

/** @throws Error when this app makes the runtime itself, and the runtime refuses IAM callers or answers no prompts */
function checkReachable(label: string, runtime: IRuntimeRef): void {
  const resource = CfnRuntime.isCfnRuntime(runtime) ? runtime : runtime.node.defaultChild;
  if (!CfnRuntime.isCfnRuntime(resource)) return;
  const { authorizerConfiguration, protocolConfiguration } = Stack.of(runtime).resolve({
    authorizerConfiguration: resource.authorizerConfiguration,
    protocolConfiguration: resource.protocolConfiguration,
  }) as { authorizerConfiguration?: object; protocolConfiguration?: unknown };
  if (authorizerConfiguration && Object.keys(authorizerConfiguration).length > 0) {
    throw new Error(
      `${label}: "runtime" expected one that IAM callers may invoke, got ${runtime.node.path}, which wants JWTs (authorizerConfiguration)`,
    );
  }
  if (typeof protocolConfiguration === 'string' && /^(MCP|A2A)$/.test(protocolConfiguration)) {
    throw new Error(
      `${label}: "runtime" expected one of protocol HTTP, got ${runtime.node.path} of protocol ${protocolConfiguration}, which answers no prompts`,
    );
  }
}

function endpointNameOf(label: string, endpoint: unknown, runtime: IRuntimeRef): string {
  if (typeof endpoint === 'string') return endpoint;
  const { endpointName, agentRuntimeArn } = (endpoint ?? {}) as Partial<IRuntimeEndpoint>;
  if (typeof endpointName !== 'string') {
    throw new Error(
      `${label}: "endpoint" expected a RuntimeEndpoint of aws-cdk-lib/aws-bedrockagentcore or its name, got ${kindOf(endpoint)}`,
    );
  }
  const stack = Stack.of(runtime);
  const resolved = (arn: string | undefined) => JSON.stringify(stack.resolve(arn));
  const ofRuntime = runtimeIdIn(resolved(runtime.runtimeRef.agentRuntimeArn));
  const ofEndpoint = runtimeIdIn(resolved(agentRuntimeArn));
  // An L2 endpoint refers to its runtime by another attribute than the runtime does, so only literal ids are compared.
  if (ofRuntime !== undefined && ofEndpoint !== undefined && ofRuntime !== ofEndpoint) {
    throw new Error(
      `${label}: "endpoint" belongs to the runtime ${ofEndpoint}, expected one of ${ofRuntime}`,
    );
  }
  return endpointName;
}

/** Returns the runtime's id if the ARN is known at synthesis. */
function runtimeIdIn(arn: string | undefined): string | undefined {
  return /:runtime\/([\w-]+)/.exec(arn ?? '')?.[1];
}

function kindOf(given: unknown): string {
  if (typeof given !== 'object' || given === null) return JSON.stringify(given) ?? String(given);
  // The CDK's decorators add a number to class names, as in Runtime2.
  const name = (given.constructor?.name ?? 'object').replace(/\d+$/, '');
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}
