import {
  CloudFormationClient,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';

const MAX_EVENTS = 50;

let client: CloudFormationClient | undefined;

/**
 * Reads a stack's state, in the shape of docs/openapi.yaml.
 *
 * @throws the errors of the AWS SDK
 */
export async function describeStack(stackName: string, abortSignal: AbortSignal): Promise<object> {
  client ??= new CloudFormationClient({});
  const input = { StackName: stackName };
  const [stacks, resources, events] = await Promise.all([
    client.send(new DescribeStacksCommand(input), { abortSignal }),
    client.send(new DescribeStackResourcesCommand(input), { abortSignal }),
    client.send(new DescribeStackEventsCommand(input), { abortSignal }),
  ]);
  const stack: Partial<Stack> = stacks.Stacks?.[0] ?? {};
  return {
    stackName: stack.StackName,
    stackId: stack.StackId,
    status: stack.StackStatus,
    resources: (resources.StackResources ?? []).map((resource) => ({
      logicalId: resource.LogicalResourceId,
      physicalId: resource.PhysicalResourceId ?? '',
      type: resource.ResourceType,
      status: resource.ResourceStatus,
      timestamp: resource.Timestamp,
      statusReason: resource.ResourceStatusReason,
    })),
    outputs: Object.fromEntries(
      (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    ),
    events: (events.StackEvents ?? []).slice(0, MAX_EVENTS).map((event) => ({
      timestamp: event.Timestamp,
      resourceType: event.ResourceType,
      logicalId: event.LogicalResourceId,
      status: event.ResourceStatus,
      reason: event.ResourceStatusReason,
    })),
    creationTime: stack.CreationTime,
    lastUpdatedTime: stack.LastUpdatedTime,
  };
}
