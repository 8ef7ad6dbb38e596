import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct, IConstruct } from 'constructs';
import type { AgentEntry } from '../lambda/agents.ts';
import { acknowledgeWildcard } from './compliance.ts';

/** The options of a deployment that need permissions on runtimes beyond invoking them. */
export interface RuntimeUse {
  /** Whether `bedrock-agentcore:InvokeAgent` is granted as well. */
  readonly invokeAgentAction: boolean;
  /** Whether AgentCore is told the caller's identity. */
  readonly tellsUser?: boolean;
}

/** The actions on a runtime, each with the condition under which it is granted. A further action is one line here. */
const RUNTIME_ACTIONS: readonly [
  action: string,
  isNeeded: (agent: AgentEntry, use: RuntimeUse) => boolean,
][] = [
  ['InvokeAgentRuntimeWithWebSocketStream', ({ transport }) => transport === 'websocket'],
  ['InvokeAgentRuntime', ({ transport }) => transport === 'http'],
  [
    'InvokeAgentRuntimeWithWebSocketStreamForUser',
    ({ transport }, { tellsUser = false }) => tellsUser && transport === 'websocket',
  ],
  ['InvokeAgentRuntimeForUser', ({ transport }, { tellsUser = false }) => tellsUser && transport === 'http'],
  // The function ends a session when its caller asks for it.
  ['StopRuntimeSession', () => true],
  // The service's authorization reference lacks this action: it grants nothing, and policy validators report it.
  ['InvokeAgent', (_agent, { invokeAgentAction }) => invokeAgentAction],
];

/**
 * Lets a principal invoke one agent's runtime. AWS checks the runtime and its endpoint, so both are granted.
 *
 * The CDK's own `grantInvoke` lacks the WebSocket action (https://github.com/aws/aws-cdk/issues/37495).
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrockagentcore.html
 */
export function grantInvokeAgent(
  grantee: iam.IGrantable,
  agent: AgentEntry,
  use: RuntimeUse = { invokeAgentAction: true },
): iam.Grant {
  return iam.Grant.addToPrincipal({
    grantee,
    actions: RUNTIME_ACTIONS.filter(([, isNeeded]) => isNeeded(agent, use)).map(
      ([action]) => `bedrock-agentcore:${action}`,
    ),
    resourceArns: [agent.runtimeArn, `${agent.runtimeArn}/runtime-endpoint/${agent.qualifier}`],
  });
}

/**
 * Lets a principal read the stacks of this account and region whose name begins with the prefix.
 *
 * @param prefix `*` means every stack
 */
export function grantDescribeStacks(scope: Construct, grantee: iam.IGrantable, prefix: string): iam.Grant {
  return iam.Grant.addToPrincipal({
    grantee,
    actions: [
      'cloudformation:DescribeStacks',
      'cloudformation:DescribeStackResources',
      'cloudformation:DescribeStackEvents',
    ],
    resourceArns: [stackArnOf(scope, prefix)],
  });
}

function stackArnOf(scope: IConstruct, prefix: string): string {
  return Stack.of(scope).formatArn({
    service: 'cloudformation',
    resource: 'stack',
    resourceName: `${prefix === '*' ? '' : prefix}*/*`,
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}

/** Acknowledges the finding of cdk-nag's AwsSolutions pack about the role of a function that X-Ray traces. */
export function acknowledgeTracing(role: IConstruct): void {
  acknowledgeWildcard(
    role,
    '*',
    'X-Ray has no resources to name: PutTraceSegments and PutTelemetryRecords take only "*"',
  );
}

/** Acknowledges that pack's findings about the other permissions of a role, each with its reason. */
export function acknowledgeRoleFindings(role: IConstruct, logGroup: ILogGroup, prefix?: string): void {
  // The ARN of an imported log group has a wildcard for the streams in the group.
  if (JSON.stringify(Stack.of(role).resolve(logGroup.logGroupArn)).includes('*')) {
    acknowledgeWildcard(
      role,
      logGroup.logGroupArn,
      'the wildcard stands for the streams of the one log group, whose names Lambda chooses',
    );
  }
  if (prefix === undefined) return;
  acknowledgeWildcard(
    role,
    stackArnOf(role, prefix),
    'the stack status route shows stacks by the beginning of their name; the id after the name is not known at synthesis',
  );
}
