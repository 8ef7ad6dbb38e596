import {
  CloudFormationClient,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';

const MAX_EVENTS = 50;

let client: CloudFormationClient | undefined;

/** A stack's state in the shape that the existing UI polls, or why there is none. */
export async function describeStack(
  stackName: string,
): Promise<object | 'not found' | 'throttled' | 'denied'> {
  client ??= new CloudFormationClient({});
  const input = { StackName: stackName };
  try {
    const [stacks, resources, events] = await Promise.all([
      client.send(new DescribeStacksCommand(input)),
      client.send(new DescribeStackResourcesCommand(input)),
      client.send(new DescribeStackEventsCommand(input)),
    ]);
    const stack = stacks.Stacks?.[0];
    if (!stack) return 'not found';
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
  } catch (error) {
    const { name, message } = error as Error;
    // CloudFormation says "does not exist" with a ValidationError.
    if (name === 'ValidationError' && /does not exist/.test(message)) return 'not found';
    if (name === 'Throttling' || name === 'ThrottlingException') return 'throttled';
    if (name === 'AccessDenied' || name === 'AccessDeniedException') return 'denied';
    throw error;
  }
}
