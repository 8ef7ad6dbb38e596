import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listener } from '../listener.ts';

export interface LocalCloudFormation {
  /** Origin, for AWS_ENDPOINT_URL_CLOUDFORMATION. */
  url: string;
  close(): Promise<void>;
}

/** A stack that is being created: each time it is described it is one state further, the bucket first. */
export const LOCAL_STACK = 'agent-demo-website';
/** One whose update failed, with a long history: 120 events, of which a page has 100. */
export const FAILED_STACK = 'agent-demo-failed';
/** One that may not be described. */
export const DENIED_STACK = 'agent-demo-denied';
/** One for which requests are always too many. */
export const THROTTLED_STACK = 'agent-demo-throttled';

const STATES = ['CREATE_IN_PROGRESS', 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE'] as const;
const CREATED = '2026-01-29T10:00:00.000Z';
const UPDATED = '2026-01-30T10:00:00.000Z';
const REASON = 'Bucket "a&b" already exists';

type Action = 'DescribeStacks' | 'DescribeStackResources' | 'DescribeStackEvents';
/** What each action finds, as XML. */
type Stack = Record<Action, string>;

/**
 * A CloudFormation with the stacks above. Any other name does not exist.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
 */
export async function startCloudFormation(): Promise<LocalCloudFormation> {
  let described = 0;
  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const part of request) body += part;
    const parameters = new URLSearchParams(body);
    const action = parameters.get('Action') as Action;
    const name = parameters.get('StackName') ?? '';
    const reply = (status: number, xml: string) =>
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
    switch (name) {
      case LOCAL_STACK: {
        const state = Math.min(described, STATES.length - 1);
        if (action === 'DescribeStacks') described += 1;
        return reply(200, wrap(action, stackInCreation(state)[action]));
      }
      case FAILED_STACK:
        return reply(200, wrap(action, failedStack()[action]));
      case DENIED_STACK:
        return reply(
          403,
          error('AccessDenied', `User is not authorized to perform: cloudformation:${action}`),
        );
      case THROTTLED_STACK:
        return reply(400, error('Throttling', 'Rate exceeded'));
      default:
        return reply(400, error('ValidationError', `Stack with id ${name} does not exist`));
    }
  };
  const server = createServer(
    listener(onRequest, (_error, _request, response) => {
      response.destroy();
    }),
  );
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

function stackInCreation(state: number): Stack {
  const resource = {
    LogicalResourceId: 'Content',
    PhysicalResourceId: state === 0 ? '' : `${LOCAL_STACK}-content`,
    ResourceType: 'AWS::S3::Bucket',
    ResourceStatus: state === 0 ? 'CREATE_IN_PROGRESS' : 'CREATE_COMPLETE',
    Timestamp: CREATED,
  };
  return {
    DescribeStacks: list('Stacks', [
      {
        StackName: LOCAL_STACK,
        StackId: idOf(LOCAL_STACK),
        StackStatus: STATES[state] ?? '',
        CreationTime: CREATED,
        Outputs:
          state === 2
            ? element('member', fields({ OutputKey: 'Url', OutputValue: 'https://example.com' }))
            : '',
      },
    ]),
    DescribeStackResources: list('StackResources', [resource]),
    DescribeStackEvents: list('StackEvents', [{ ...resource, ...eventOf(LOCAL_STACK, 1) }]),
  };
}

function failedStack(): Stack {
  const resource = {
    LogicalResourceId: 'Content',
    PhysicalResourceId: '',
    ResourceType: 'AWS::S3::Bucket',
    ResourceStatus: 'UPDATE_FAILED',
    ResourceStatusReason: escaped(REASON),
    Timestamp: UPDATED,
  };
  // The latest first, a second apart.
  const events = Array.from({ length: 100 }, (_, age) => ({
    ...resource,
    ...eventOf(FAILED_STACK, 120 - age),
    Timestamp: new Date(Date.parse(UPDATED) - age * 1000).toISOString(),
  }));
  return {
    DescribeStacks: list('Stacks', [
      {
        StackName: FAILED_STACK,
        StackId: idOf(FAILED_STACK),
        StackStatus: 'UPDATE_ROLLBACK_COMPLETE',
        CreationTime: CREATED,
        LastUpdatedTime: UPDATED,
      },
    ]),
    DescribeStackResources: list('StackResources', [resource]),
    DescribeStackEvents: `${list('StackEvents', events)}${element('NextToken', 'more')}`,
  };
}

const idOf = (name: string) => `arn:aws:cloudformation:us-east-1:111122223333:stack/${name}/1`;
const eventOf = (name: string, number: number) => ({
  EventId: String(number),
  StackId: idOf(name),
  StackName: name,
});

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const element = (name: string, content: string) => `<${name}>${content}</${name}>`;
const fields = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([name, value]) => element(name, value))
    .join('');
const list = (name: string, members: Record<string, string>[]) =>
  element(name, members.map((member) => element('member', fields(member))).join(''));

function wrap(action: string, result: string): string {
  return element(`${action}Response`, element(`${action}Result`, result));
}

function error(code: string, message: string): string {
  return element(
    'ErrorResponse',
    element('Error', fields({ Type: 'Sender', Code: code, Message: escaped(message) })),
  );
}
