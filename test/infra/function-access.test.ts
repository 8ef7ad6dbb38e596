import { jest } from '@jest/globals';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS } from '../../lambda/contract.ts';
import { AGENT, functionIn, statements } from './support.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the Function URL', () => {
  test('streams and wants signed requests, and lets no page of another origin in', () => {
    const { template } = functionIn();

    template().hasResourceProperties('AWS::Lambda::Url', {
      AuthType: 'AWS_IAM',
      InvokeMode: 'RESPONSE_STREAM',
      Cors: Match.absent(),
    });
    template().resourceCountIs('AWS::Lambda::Permission', 0);
  });

  test('answers preflights with what the contract allows', () => {
    const { template } = functionIn({ allowedOrigins: ['https://app.example.com'] });

    template().hasResourceProperties('AWS::Lambda::Url', {
      Cors: {
        AllowOrigins: ['https://app.example.com'],
        AllowHeaders: ALLOWED_HEADERS,
        AllowMethods: ALLOWED_METHODS,
        ExposeHeaders: EXPOSED_HEADERS,
        MaxAge: 600,
        AllowCredentials: Match.absent(),
      },
    });
  });

  test('without auth has both permissions that a public URL needs, and a warning', () => {
    // The CDK prints the warning as well.
    jest.spyOn(console, 'error').mockImplementation(() => {});
    const { stack, template } = functionIn({
      authType: FunctionUrlAuthType.NONE,
      allowedOrigins: ['*'],
      reservedConcurrentExecutions: 10,
    });

    template().hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
    template().resourceCountIs('AWS::Lambda::Permission', 2);
    template().hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunctionUrl',
      Principal: '*',
      FunctionUrlAuthType: 'NONE',
    });
    template().hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      Principal: '*',
      InvokedViaFunctionUrl: true,
    });
    Annotations.fromStack(stack).hasWarning('/Test/Stream', Match.stringLikeRegexp('Function URL is public'));
  });

  test('grants a principal both actions, the second only through the URL', () => {
    const { stack, subject } = functionIn();
    const caller = new Role(stack, 'Caller', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });

    const grant = subject.grantInvokeUrl(caller);

    expect(grant.success).toBe(true);
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('Caller') }],
      PolicyDocument: {
        Statement: [
          { Action: 'lambda:InvokeFunctionUrl', Effect: 'Allow' },
          {
            Action: 'lambda:InvokeFunction',
            Effect: 'Allow',
            Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': true } },
          },
        ],
      },
    });
  });
});

describe('its role', () => {
  const end = 'bedrock-agentcore:StopRuntimeSession';
  const invoke = ['bedrock-agentcore:InvokeAgent', 'bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream'];
  const logs = {
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: { 'Fn::GetAtt': [expect.stringMatching(/^StreamLogGroup/), 'Arn'] },
  };
  const traces = {
    Effect: 'Allow',
    Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    Resource: '*',
  };

  test('may invoke the agents, write its log and its traces, and nothing else', () => {
    const http = {
      id: 'mwc',
      name: 'MWCAgent',
      runtimeArn: 'arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/MWCAgent-a1B2c3D4e5',
      transport: 'http' as const,
      qualifier: 'blue',
    };

    const template = functionIn({ agents: [AGENT, http] }).template();

    expect(statements(template)).toEqual([
      logs,
      {
        Effect: 'Allow',
        Action: [...invoke, end],
        Resource: [AGENT.runtimeArn, `${AGENT.runtimeArn}/runtime-endpoint/DEFAULT`],
      },
      {
        Effect: 'Allow',
        Action: [invoke[0], 'bedrock-agentcore:InvokeAgentRuntime', end],
        Resource: [http.runtimeArn, `${http.runtimeArn}/runtime-endpoint/blue`],
      },
      traces,
    ]);
    template.resourceCountIs('AWS::IAM::Role', 1);
    template.hasResourceProperties('AWS::IAM::Role', {
      ManagedPolicyArns: Match.absent(),
      Policies: Match.absent(),
      RoleName: Match.absent(),
    });
  });

  test.each([
    ['websocket', 'InvokeAgentRuntimeWithWebSocketStream'],
    ['http', 'InvokeAgentRuntime'],
  ] as const)(
    'may invoke an agent over %s by one action, and end its sessions, where the action that AWS does not know is off',
    (transport, action) => {
      const template = functionIn({
        agents: [{ ...AGENT, transport }],
        invokeAgentAction: false,
      }).template();

      expect(statements(template)[1]?.Action).toEqual([`bedrock-agentcore:${action}`, end]);
    },
  );

  test.each([
    ['demo-', 'stack/demo-*/*'],
    ['*', 'stack/*/*'],
  ])('may describe stacks that begin with %j when their route is on', (stackStatusPrefix, resource) => {
    const template = functionIn({ stackStatusPrefix }).template();

    const added = statements(template).filter(({ Action }) =>
      JSON.stringify(Action).includes('cloudformation'),
    );

    expect(statements(template)).toHaveLength(4);
    expect(added).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'cloudformation:DescribeStackEvents',
          'cloudformation:DescribeStackResources',
          'cloudformation:DescribeStacks',
        ],
        Resource: {
          'Fn::Join': [
            '',
            [
              'arn:',
              { Ref: 'AWS::Partition' },
              ':cloudformation:',
              { Ref: 'AWS::Region' },
              ':',
              { Ref: 'AWS::AccountId' },
              `:${resource}`,
            ],
          ],
        },
      },
    ]);
  });
});
