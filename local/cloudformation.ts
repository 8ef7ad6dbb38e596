import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LocalCloudFormation {
  /** Origin, for AWS_ENDPOINT_URL_CLOUDFORMATION. */
  url: string;
  close(): Promise<void>;
}

/** The one stack there is. */
export const LOCAL_STACK = 'agent-demo-website';

const STATES = ['CREATE_IN_PROGRESS', 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE'] as const;
const CREATED = '2026-01-29T10:00:00.000Z';

/**
 * A CloudFormation with one stack, which is being created: each time it is described it is one state further, the
 * bucket first. Any other name does not exist.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
 */
export async function startCloudFormation(): Promise<LocalCloudFormation> {
  let described = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const parameters = new URLSearchParams(body);
    const action = parameters.get('Action') ?? '';
    const name = parameters.get('StackName') ?? '';
    const state = Math.min(described, STATES.length - 1);
    if (action === 'DescribeStacks') described += 1;
    const result = name === LOCAL_STACK ? resultOf(action, state) : undefined;
    response.writeHead(result ? 200 : 400, { 'content-type': 'text/xml' });
    response.end(result ? wrap(action, result) : notFound(name));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const element = (name: string, content: string) => `<${name}>${content}</${name}>`;
const member = (fields: Record<string, string>) =>
  element(
    'member',
    Object.entries(fields)
      .map(([name, value]) => element(name, value))
      .join(''),
  );

function resultOf(action: string, state: number): string | undefined {
  const id = `arn:aws:cloudformation:us-east-1:111122223333:stack/${LOCAL_STACK}/1`;
  const bucketStatus = state === 0 ? 'CREATE_IN_PROGRESS' : 'CREATE_COMPLETE';
  const resource = {
    LogicalResourceId: 'Content',
    PhysicalResourceId: state === 0 ? '' : `${LOCAL_STACK}-content`,
    ResourceType: 'AWS::S3::Bucket',
    ResourceStatus: bucketStatus,
  };
  switch (action) {
    case 'DescribeStacks':
      return element(
        'Stacks',
        member({
          StackName: LOCAL_STACK,
          StackId: id,
          StackStatus: STATES[state] ?? '',
          CreationTime: CREATED,
          Outputs: state === 2 ? member({ OutputKey: 'Url', OutputValue: 'https://example.com' }) : '',
        }),
      );
    case 'DescribeStackResources':
      return element('StackResources', member({ ...resource, Timestamp: CREATED }));
    case 'DescribeStackEvents':
      return element(
        'StackEvents',
        member({ ...resource, EventId: '1', StackId: id, StackName: LOCAL_STACK, Timestamp: CREATED }),
      );
    default:
      return undefined;
  }
}

function wrap(action: string, result: string): string {
  return element(`${action}Response`, element(`${action}Result`, result));
}

function notFound(name: string): string {
  const safe = name.replace(/[<>&]/g, '');
  return element(
    'ErrorResponse',
    element(
      'Error',
      `<Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${safe} does not exist</Message>`,
    ),
  );
}
