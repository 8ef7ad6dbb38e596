import { jest } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { ManagedPolicy, PermissionsBoundary, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { functionIn, ourApp, stackOf, statements } from './support.ts';

const ENV = { account: '111122223333', region: 'us-east-1' };
const KEY_ARN = 'arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-1111-2222-333344445555';

beforeEach(() => {
  // The CDK prints warnings as well.
  jest.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a key of one’s own', () => {
  test('encrypts logs, alarm topic and environment', () => {
    const { template } = stackOf({ kmsKeyArn: KEY_ARN, alarmEmail: 'oncall@example.com' });

    template().hasResourceProperties('AWS::Logs::LogGroup', { KmsKeyId: KEY_ARN });
    template().hasResourceProperties('AWS::Lambda::Function', { KmsKeyArn: KEY_ARN });
    template().hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: KEY_ARN });
  });

  test('lets CloudWatch use it for the logs of this account and for its alarms', () => {
    const stack = new Stack(ourApp(), 'Keys', { env: ENV });
    const encryptionKey = new Key(stack, 'Key');

    stackOf({ encryptionKey, alarmEmail: 'oncall@example.com', env: ENV }, stack.node.root as App);

    Template.fromStack(stack).hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: 'logs.us-east-1.amazonaws.com' },
            Condition: {
              ArnLike: {
                'kms:EncryptionContext:aws:logs:arn': 'arn:aws:logs:us-east-1:111122223333:log-group:*',
              },
            },
          }),
          Match.objectLike({
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
            Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
          }),
        ]),
      },
    });
  });
});

describe('what exists already', () => {
  test('is used in the place of an own role and an own log group', () => {
    const { template } = stackOf({
      roleArn: 'arn:aws:iam::111122223333:role/team/stream',
      logGroupName: '/team/streams',
      env: ENV,
    });

    template().resourceCountIs('AWS::IAM::Role', 0);
    template().resourceCountIs('AWS::Logs::LogGroup', 0);
    template().hasResourceProperties('AWS::Lambda::Function', {
      Role: 'arn:aws:iam::111122223333:role/team/stream',
      LoggingConfig: Match.objectLike({ LogGroup: '/team/streams' }),
    });
    template().hasResourceProperties('AWS::IAM::Policy', { Roles: ['stream'] });
    expect(JSON.stringify(statements(template()))).toContain(':log-group:/team/streams');
  });

  test('may be constructs, and a role that is not to be touched gets no policy', () => {
    const stack = new Stack(ourApp(), 'Test', { env: ENV });
    const role = Role.fromRoleArn(stack, 'Theirs', 'arn:aws:iam::111122223333:role/stream', {
      mutable: false,
    });
    const logGroup = new LogGroup(stack, 'Shared');

    const { template, subject } = functionIn({ role, logGroup }, stack);

    expect(subject.logGroup).toBe(logGroup);
    template().resourceCountIs('AWS::IAM::Policy', 0);
    template().resourceCountIs('AWS::Logs::LogGroup', 1);
  });

  test('may be named by SSM parameters', () => {
    const { template } = stackOf({
      kmsKeyArn: 'ssm:/platform/key-arn',
      roleArn: 'ssm:/platform/role-arn',
      alarmTopicArn: 'ssm:/platform/topic-arn',
    });

    const named = Object.values(template().findParameters('*'))
      .filter(({ Default }) => String(Default).startsWith('/platform/'))
      .map(({ Default }) => Default);
    expect(named.sort()).toEqual(['/platform/key-arn', '/platform/role-arn', '/platform/topic-arn']);
    template().hasResourceProperties('AWS::Lambda::Function', {
      Role: { Ref: Match.stringLikeRegexp('platformrolearn') },
      KmsKeyArn: { Ref: Match.stringLikeRegexp('platformkeyarn') },
    });
  });
});

describe('the topic of the alarms', () => {
  const alarmTopicArn = 'arn:aws:sns:eu-west-1:111122223333:alarms';
  const message =
    /^alarmTopicArn: expected a topic in us-east-1, because alarms notify topics of their own region only, got "arn:aws:sns:eu-west-1/;

  test('of another region is refused, where the stack says its region', () => {
    expect(() => stackOf({ alarmTopicArn, env: ENV })).toThrow(message);
    expect(() => stackOf({ alarmTopicArn, env: { ...ENV, region: 'eu-west-1' } })).not.toThrow();
  });

  test('of another region is refused, where only the CLI knows it', () => {
    const before = process.env.CDK_DEFAULT_REGION;
    process.env.CDK_DEFAULT_REGION = 'us-east-1';
    try {
      expect(() => stackOf({ alarmTopicArn })).toThrow(message);
    } finally {
      if (before === undefined) delete process.env.CDK_DEFAULT_REGION;
      else process.env.CDK_DEFAULT_REGION = before;
    }
  });
});

test('a permissions boundary of the CDK’s own context holds for every role', () => {
  const app = new App({
    context: { '@aws-cdk/core:permissionsBoundary': { name: 'developers', qualifier: 'hnb659fds' } },
  });

  const { template } = stackOf({}, app);

  for (const role of Object.values(template().findResources('AWS::IAM::Role'))) {
    expect(JSON.stringify(role.Properties.PermissionsBoundary)).toContain(':policy/developers');
  }
});

test('a permissions boundary may be set on the construct alone', () => {
  const { stack, subject, template } = functionIn();

  PermissionsBoundary.of(subject).apply(ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'developers'));

  template().hasResourceProperties('AWS::IAM::Role', {
    PermissionsBoundary: { 'Fn::Join': ['', Match.arrayWith([':policy/developers'])] },
  });
});

test('tags are those of the stack, which CloudFormation puts on its resources', () => {
  const { stack } = stackOf({ tags: { team: 'platform' } });

  expect(stack.tags.tagValues()).toEqual({ team: 'platform' });
});

test.each([
  [{}, undefined],
  [{ stage: 'prod' }, true],
  [{ stage: 'prod-eu' }, true],
  [{ stage: 'prod', terminationProtection: false }, undefined],
  [{ terminationProtection: true }, true],
])('the stack of %p is protected against deletion: %p', (props, expected) => {
  const { stack } = stackOf(props);

  expect(stack.terminationProtection ?? false).toBe(expected ?? false);
});

test('logs are kept as long as is said, also in production', () => {
  const { template } = stackOf({ stage: 'prod', logRetention: 90 });

  template().hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
});

describe('concurrency', () => {
  test('over what an account has by default is warned of, and below it is not', () => {
    const warning = Match.stringLikeRegexp('reserved concurrency of 901: .*quota');

    Annotations.fromStack(functionIn({ reservedConcurrentExecutions: 901 }).stack).hasWarning('*', warning);
    Annotations.fromStack(functionIn({ reservedConcurrentExecutions: 900 }).stack).hasNoWarning(
      '*',
      Match.stringLikeRegexp('reserved concurrency of'),
    );
  });

  test('without auth says what a new account refuses', () => {
    const { stack } = functionIn({
      authType: FunctionUrlAuthType.NONE,
      allowedOrigins: ['*'],
      reservedConcurrentExecutions: 5,
    });

    Annotations.fromStack(stack).hasWarning(
      '*',
      Match.stringLikeRegexp('new account may have a quota of 10 .*below its minimum value"'),
    );
  });
});
