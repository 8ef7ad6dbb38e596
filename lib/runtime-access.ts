import { ArnFormat, Stack, Token, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { AgentEntry } from '../lambda/agents.ts';

/** What a deployment does with the runtimes beside answering, as far as it needs rights of its own. */
export interface RuntimeUse {
  /** Whether `bedrock-agentcore:InvokeAgent` is granted, too. */
  readonly invokeAgentAction: boolean;
}

/** An action on a runtime, and which agents need it for what the deployment does. A further use is a line here. */
const RUNTIME_ACTIONS: readonly [
  action: string,
  isNeeded: (agent: AgentEntry, use: RuntimeUse) => boolean,
][] = [
  ['InvokeAgentRuntimeWithWebSocketStream', ({ transport }) => transport === 'websocket'],
  ['InvokeAgentRuntime', ({ transport }) => transport === 'http'],
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
  const stackArn = Stack.of(scope).formatArn({
    service: 'cloudformation',
    resource: 'stack',
    resourceName: `${prefix === '*' ? '' : prefix}*/*`,
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
  return iam.Grant.addToPrincipal({
    grantee,
    actions: [
      'cloudformation:DescribeStacks',
      'cloudformation:DescribeStackResources',
      'cloudformation:DescribeStackEvents',
    ],
    resourceArns: [stackArn],
  });
}

/** Takes the findings of cdk-nag's AwsSolutions pack that are meant, each with its reason. */
export function acknowledgeRoleFindings(scope: Construct, prefix: string | undefined): void {
  const validations = Validations.of(scope);
  validations.acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'X-Ray has no resources to name: PutTraceSegments and PutTelemetryRecords take only "*"',
  });
  if (prefix === undefined) return;
  const { partition, region, account } = Stack.of(scope);
  const shown = (part: string, pseudo: string) => (Token.isUnresolved(part) ? `<AWS::${pseudo}>` : part);
  validations.acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:${shown(partition, 'Partition')}:cloudformation:${shown(region, 'Region')}:${shown(account, 'AccountId')}:stack/${prefix === '*' ? '' : prefix}*/*]`,
    reason:
      'the stack status route shows stacks by the beginning of their name; the id behind the name is not known before',
  });
}
