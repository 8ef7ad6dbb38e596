import { jest } from '@jest/globals';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { projectVersion } from '../../lib/version.ts';
import { AGENT, runtimeArn, stackOf, THREE_AGENTS } from './support.ts';

beforeEach(() => {
  // The CDK prints warnings as well.
  jest.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  jest.restoreAllMocks();
});

test('has the outputs that a deployment is used with', () => {
  const { template } = stackOf();

  expect(Object.keys(template().findOutputs('*')).sort()).toEqual([
    'DashboardUrl',
    'FunctionArn',
    'FunctionName',
    'FunctionUrl',
    'LogGroup',
    'Version',
  ]);
  template().hasOutput('FunctionUrl', { Value: { 'Fn::GetAtt': [Match.anyValue(), 'FunctionUrl'] } });
  template().hasOutput('FunctionArn', {
    Value: { Ref: Match.stringLikeRegexp('^StreamLive') },
  });
  template().hasOutput('Version', { Value: projectVersion() });
  template().hasOutput('LogGroup', { Value: { Ref: Match.stringLikeRegexp('LogGroup') } });
  template().hasOutput('DashboardUrl', {
    Value: { 'Fn::Join': ['', Match.arrayWith(['/cloudwatch/home?region=', { Ref: 'AWS::Region' }])] },
  });
});

test.each(['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc'])(
  'knows the console of the partition %s',
  (partition) => {
    const [console] = Object.values(stackOf().template().findMappings('*'));

    expect(console?.[partition]?.domain).toMatch(/^console\.[a-z.-]+$/);
  },
);

test('has no physical name of its own choosing and knows neither account nor region', () => {
  const template = stackOf({ alarmEmail: 'oncall@example.com' }).template();
  const names = /^(FunctionName|RoleName|LogGroupName|DashboardName|TopicName|AlarmName)$/;

  const resources = Object.values(template.toJSON().Resources as Record<string, Resource>);
  const named = resources.filter(({ Properties = {} }) =>
    Object.entries(Properties).some(([key, value]) => names.test(key) && typeof value === 'string'),
  );

  // CloudFormation wants a name of a composite alarm; it is made from the stack's.
  expect(new Set(named.map(({ Type }) => Type))).toEqual(new Set(['AWS::CloudWatch::CompositeAlarm']));
  for (const { Properties } of named) {
    expect(Properties?.AlarmName).toMatch(
      /^AgentStream-(UsersAreAffected|AgentFails-\w+|AnybodyIsAffected|Degraded)-[0-9a-f]{8}$/,
    );
  }
  template.hasResourceProperties('AWS::SNS::Topic', { TopicName: Match.absent() });
});

test('has alarms of its own where it is deployed twice under two names', () => {
  const nameIn = (stackName: string) => {
    const alarms = stackOf({ stackName }).template().findResources('AWS::CloudWatch::CompositeAlarm');
    return Object.values(alarms)[0]?.Properties.AlarmName;
  };

  expect(nameIn('helpdesk')).toMatch(/^helpdesk-/);
  expect(nameIn('sales')).toMatch(/^sales-/);
});

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Principal?: unknown;
}

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

test('gives nobody any right but these, with everything switched on', () => {
  const { template } = stackOf({
    agents: [AGENT, { id: 'http', name: 'Http', runtimeArn: runtimeArn('Http'), transport: 'http' }],
    authType: FunctionUrlAuthType.NONE,
    allowedOrigins: ['*'],
    reservedConcurrentExecutions: 1,
    stackStatusPrefix: 'demo-',
    alarmEmail: 'oncall@example.com',
    stage: 'prod',
  });
  const resources = Object.values(template().toJSON().Resources as Record<string, Resource>);
  const propertiesOf = (type: string) =>
    resources.flatMap(({ Type, Properties = {} }) => (Type === type ? [Properties] : []));
  /** `Allow action,action`, or who may do it to what the policy belongs to. */
  const rights = (type: string) =>
    propertiesOf(type).flatMap(({ PolicyDocument }) =>
      (PolicyDocument as { Statement: Statement[] }).Statement.map(({ Effect, Action, Principal }) =>
        [Effect, [Action].flat().join(), Principal && JSON.stringify(Principal)].filter(Boolean).join(' '),
      ),
    );

  const granting = resources.map(({ Type }) => Type).filter((type) => /IAM|Permission|Policy/.test(type));
  expect(granting.sort()).toEqual([
    'AWS::IAM::Policy',
    'AWS::IAM::Role',
    'AWS::Lambda::Permission',
    'AWS::Lambda::Permission',
    'AWS::SNS::TopicPolicy',
  ]);
  // No managed policy and no other inline one.
  expect(propertiesOf('AWS::IAM::Role').map((role) => Object.keys(role).sort())).toEqual([
    ['AssumeRolePolicyDocument', 'Description'],
  ]);
  expect(propertiesOf('AWS::IAM::Role')[0]?.AssumeRolePolicyDocument).toMatchObject({
    Statement: [
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
    ],
  });
  expect(rights('AWS::IAM::Policy')).toEqual([
    'Allow logs:CreateLogStream,logs:PutLogEvents',
    'Allow bedrock-agentcore:InvokeAgent,bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream,bedrock-agentcore:StopRuntimeSession',
    'Allow bedrock-agentcore:InvokeAgent,bedrock-agentcore:InvokeAgentRuntime,bedrock-agentcore:StopRuntimeSession',
    'Allow cloudformation:DescribeStackEvents,cloudformation:DescribeStackResources,cloudformation:DescribeStacks',
    'Allow xray:PutTelemetryRecords,xray:PutTraceSegments',
  ]);
  expect(rights('AWS::SNS::TopicPolicy')).toEqual([
    'Deny sns:Publish "*"',
    'Allow sns:Publish {"Service":"cloudwatch.amazonaws.com"}',
  ]);
  expect(propertiesOf('AWS::Lambda::Permission').map(({ Action, Principal }) => [Action, Principal])).toEqual(
    [
      ['lambda:InvokeFunctionUrl', '*'],
      ['lambda:InvokeFunction', '*'],
    ],
  );
});

describe('the access of a first deployment', () => {
  test('is IAM by default', () => {
    const { template } = stackOf();

    template().hasResourceProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
    template().resourceCountIs('AWS::Lambda::Permission', 0);
  });

  test('is public with auth=none, its origins and its limit', () => {
    const { template } = stackOf({
      authType: FunctionUrlAuthType.NONE,
      allowedOrigins: ['https://app.example.com'],
      reservedConcurrentExecutions: 20,
    });

    template().hasResourceProperties('AWS::Lambda::Url', {
      AuthType: 'NONE',
      Cors: Match.objectLike({ AllowOrigins: ['https://app.example.com'] }),
    });
    template().hasResourceProperties('AWS::Lambda::Function', { ReservedConcurrentExecutions: 20 });
    template().resourceCountIs('AWS::Lambda::Permission', 2);
  });
});

describe('the stage', () => {
  const alarmEmail = 'oncall@example.com';
  const alarmsWithActions = (props: Parameters<typeof stackOf>[0]) =>
    Object.values(stackOf(props).template().findResources('AWS::CloudWatch::CompositeAlarm')).filter(
      ({ Properties }) => Properties.AlarmActions,
    );

  test.each([[undefined], ['dev'], ['preprod']])(
    '%p: logs go with the stack, alarms notify that users are affected',
    (stage) => {
      const props = { alarmEmail, ...(stage && { stage }) };

      stackOf(props)
        .template()
        .hasResource('AWS::Logs::LogGroup', {
          Properties: { RetentionInDays: 14 },
          DeletionPolicy: 'Delete',
        });
      expect(alarmsWithActions(props)).toHaveLength(1 + THREE_AGENTS.length);
    },
  );

  test.each([['prod'], ['production'], ['prod-eu']])(
    '%p: logs outlive the stack, alarms notify of anything',
    (stage) => {
      const props = { alarmEmail, stage };

      stackOf(props)
        .template()
        .hasResource('AWS::Logs::LogGroup', {
          Properties: { RetentionInDays: 365 },
          DeletionPolicy: 'Retain',
        });
      expect(alarmsWithActions(props)).toHaveLength(2 + THREE_AGENTS.length);
    },
  );

  test('is told to the function, unless it is the default', () => {
    const stageOf = (stage: string) =>
      Object.values(stackOf({ stage }).template().findResources('AWS::Lambda::Function'))[0]?.Properties
        .Environment.Variables.STAGE;

    expect([stageOf('dev'), stageOf('staging')]).toEqual([undefined, 'staging']);
  });

  test('of production warns when no alarm tells anybody', () => {
    const warning = Match.stringLikeRegexp('no one receives the alarms: set alarmEmail or alarmTopicArn');

    Annotations.fromStack(stackOf({ stage: 'prod' }).stack).hasWarning('/AgentStream', warning);
    Annotations.fromStack(stackOf({ stage: 'prod', alarmEmail }).stack).hasNoWarning('*', warning);
  });
});

test('of production warns when alarms and dashboard link to no runbook', () => {
  const warning = Match.stringLikeRegexp('set runbookUrl');
  const runbookUrl = 'https://wiki.example.com/stream';

  Annotations.fromStack(stackOf({ stage: 'prod' }).stack).hasWarning('/AgentStream', warning);
  Annotations.fromStack(stackOf({ stage: 'prod', runbookUrl }).stack).hasNoWarning('*', warning);
  Annotations.fromStack(stackOf().stack).hasNoWarning('*', warning);
});

describe('whom the alarms tell', () => {
  test('an e-mail address, over a topic that lets only alarms of this account in, encrypted in transit', () => {
    const { template } = stackOf({ alarmEmail: 'oncall@example.com' });

    template().hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'oncall@example.com',
    });
    template().hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });

  test('a topic that exists already', () => {
    const alarmTopicArn = 'arn:aws:sns:us-east-1:111122223333:alarms';

    const { template } = stackOf({ alarmTopicArn });

    template().hasResourceProperties('AWS::CloudWatch::CompositeAlarm', { AlarmActions: [alarmTopicArn] });
    template().resourceCountIs('AWS::SNS::Topic', 0);
  });
});
