import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct, IConstruct } from 'constructs';
import type { AgentEntry } from '../lambda/agents.ts';
import { acknowledgeWildcard } from './compliance.ts';

/** What a deployment does with the runtimes beside answering, as far as it needs rights of its own. */
export interface RuntimeUse {
  /** Whether `bedrock-agentcore:InvokeAgent` is granted, too. */
  readonly invokeAgentAction: boolean;
  /** Whether AgentCore is told who asks. */
  readonly tellsUser?: boolean;
}

/** An action on a runtime, and which agents need it for what the deployment does. A further use is a line here. */
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
  // For the end of a session, which its caller asks for.
  ['StopRuntimeSession', () => true],
  // Not in the service's authorization reference: it grants nothing, and validators of policies report it.
  ['InvokeAgent', (_agent, { invokeAgentAction }) => invokeAgentAction],
];

/**
 * Lets a principal invoke one agent's runtime, on both resources that AWS checks: the runtime and its endpoint.
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

/** Takes the finding of cdk-nag's AwsSolutions pack about the role of a function that X-Ray traces. */
export function acknowledgeTracing(role: IConstruct): void {
  acknowledgeWildcard(
    role,
    '*',
    'X-Ray has no resources to name: PutTraceSegments and PutTelemetryRecords take only "*"',
  );
}

/** Takes the findings of the same pack about what else a role may do, each with its reason. */
export function acknowledgeRoleFindings(role: IConstruct, logGroup: ILogGroup, prefix?: string): void {
  // An imported log group is written to by its name, with every stream in it.
  if (JSON.stringify(Stack.of(role).resolve(logGroup.logGroupArn)).includes('*')) {
    acknowledgeWildcard(
      role,
      logGroup.logGroupArn,
      'the streams of the one log group, whose names Lambda makes',
    );
  }
  if (prefix === undefined) return;
  acknowledgeWildcard(
    role,
    stackArnOf(role, prefix),
    'the stack status route shows stacks by the beginning of their name; the id behind the name is not known before',
  );
}
