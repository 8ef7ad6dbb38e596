import { jest } from '@jest/globals';
import { App, CfnParameter, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type CfnFunction, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { readConfig } from '../../lambda/config.ts';
import { ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS } from '../../lambda/contract.ts';
import { AgentStreamFunction, type AgentStreamFunctionProps } from '../../lib/streaming-function.ts';
import { AGENT, code, functionIn, statements } from './support.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the function', () => {
  test('runs the bundle on Node 24, arm64, for up to 15 minutes, traced', () => {
    const { template } = functionIn();

    template().hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: 900,
      MemorySize: 1024,
      TracingConfig: { Mode: 'Active' },
      ReservedConcurrentExecutions: Match.absent(),
      FunctionName: Match.absent(),
      VpcConfig: Match.absent(),
    });
  });

  test('writes JSON to a log group of its own, at a level that keeps the metrics', () => {
    const { template } = functionIn();

    template().hasResourceProperties('AWS::Lambda::Function', {
      LoggingConfig: {
        LogFormat: 'JSON',
        ApplicationLogLevel: 'INFO',
        LogGroup: { Ref: Match.stringLikeRegexp('LogGroup') },
      },
    });
    template().hasResource('AWS::Logs::LogGroup', {
      Properties: { RetentionInDays: 14, LogGroupName: Match.absent() },
      DeletionPolicy: 'Delete',
    });
  });

  test('takes memory, timeout, concurrency and log retention', () => {
    const { template } = functionIn({
      memorySize: 512,
      timeout: Duration.minutes(5),
      reservedConcurrentExecutions: 0,
      logRetention: RetentionDays.ONE_YEAR,
      logRemovalPolicy: RemovalPolicy.RETAIN,
    });

    template().hasResourceProperties('AWS::Lambda::Function', {
      MemorySize: 512,
      Timeout: 300,
      ReservedConcurrentExecutions: 0,
    });
    template().hasResource('AWS::Logs::LogGroup', {
      Properties: { RetentionInDays: 365 },
      DeletionPolicy: 'Retain',
    });
  });
});

describe('its environment', () => {
  const environment = (props: Partial<AgentStreamFunctionProps>) => {
    const [fn] = Object.values(functionIn(props).template().findResources('AWS::Lambda::Function'));
    return fn?.Properties.Environment.Variables as Record<string, string>;
  };

  test('holds the agents, and nothing that has a default', () => {
    const agent = { ...AGENT, qualifier: 'DEFAULT', transport: 'websocket' as const, description: '' };

    const variables = environment({ agents: [agent] });

    expect(Object.keys(variables)).toEqual(['AGENTS']);
    expect(JSON.parse(variables.AGENTS ?? '')).toEqual([AGENT]);
  });

  test('is read back by the function as it was given', () => {
    const agents = [{ ...AGENT, qualifier: 'blue', transport: 'http' as const, idleTimeoutMs: 1000 }];

    const config = readConfig(
      environment({
        agents,
        stage: 'prod',
        stackStatusPrefix: 'demo-',
        connectTimeout: Duration.seconds(2),
        commitAfter: Duration.seconds(0),
        maxRetries: 0,
        poolMaxIdle: Duration.minutes(1),
      }),
    );

    expect(config.agents[0]?.entry).toMatchObject(agents[0] ?? {});
    expect(config).toMatchObject({
      stage: 'prod',
      stackStatusPrefix: 'demo-',
      connectTimeoutMs: 2000,
      commitAfterMs: 0,
      maxRetries: 0,
      poolMaxIdleMs: 60_000,
    });
  });

  test('takes the ARN of a runtime that another stack makes', () => {
    const stack = new Stack(new App(), 'Test');
    const parameter = new CfnParameter(stack, 'RuntimeArn');

    const { template } = functionIn({ agents: [{ ...AGENT, runtimeArn: parameter.valueAsString }] }, stack);

    template().hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          AGENTS: {
            'Fn::Join': [
              '',
              ['[{"id":"onboarding","name":"OnboardingAgent","runtimeArn":"', { Ref: 'RuntimeArn' }, '"}]'],
            ],
          },
        },
      },
    });
  });
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
        Action: invoke,
        Resource: [AGENT.runtimeArn, `${AGENT.runtimeArn}/runtime-endpoint/DEFAULT`],
      },
      {
        Effect: 'Allow',
        Action: [invoke[0], 'bedrock-agentcore:InvokeAgentRuntime', invoke[1]],
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

describe('wrong props', () => {
  const none = FunctionUrlAuthType.NONE;
  const origins = ['https://a.example.com'];
  test.each<[string, Partial<AgentStreamFunctionProps>, RegExp]>([
    ['no agent', { agents: [] }, /non-empty JSON array of agents/],
    ['an agent twice', { agents: [AGENT, { ...AGENT, name: 'Other' }] }, /duplicate agent id "onboarding"/],
    [
      'a malformed ARN',
      { agents: [{ ...AGENT, runtimeArn: 'arn:aws:x' }] },
      /agent "onboarding": not a runtime ARN/,
    ],
    [
      'an endpoint ARN',
      { agents: [{ ...AGENT, runtimeArn: `${AGENT.runtimeArn}/runtime-endpoint/DEFAULT` }] },
      /agent "onboarding": the runtime ARN is an endpoint ARN/,
    ],
    [
      'a partition without data plane',
      { agents: [{ ...AGENT, runtimeArn: AGENT.runtimeArn.replace('arn:aws:', 'arn:aws-moon:') }] },
      /no DNS suffix is known for the partition "aws-moon"/,
    ],
    [
      'public without origins',
      { authType: none, reservedConcurrentExecutions: 1 },
      /^auth=none needs allowedOrigins/,
    ],
    [
      'public without limit',
      { authType: none, allowedOrigins: origins },
      /^auth=none needs reservedConcurrency/,
    ],
    ['no origin', { allowedOrigins: [] }, /allowedOrigins: expected 1 to 100 origins, got 0/],
    [
      'an origin with path',
      { allowedOrigins: ['https://a.example.com/'] },
      /got "https:\/\/a\.example\.com\/"/,
    ],
    ['an origin without scheme', { allowedOrigins: ['a.example.com'] }, /got "a\.example\.com"/],
    ['an origin with default port', { allowedOrigins: ['https://a.example.com:443'] }, /got ".*:443"/],
    ['a wildcard inside', { allowedOrigins: ['https://*.example.com'] }, /no wildcard inside/],
    [
      'negative concurrency',
      { reservedConcurrentExecutions: -1 },
      /reservedConcurrency: expected .* from 0, got -1/,
    ],
    ['half concurrency', { reservedConcurrentExecutions: 1.5 }, /reservedConcurrency: .* got 1\.5/],
    ['a stack prefix with a slash', { stackStatusPrefix: 'a/b' }, /stackStatusPrefix: .* got "a\/b"/],
    [
      'a timeout of nothing',
      { connectTimeout: Duration.seconds(0) },
      /CONNECT_TIMEOUT_MS: .* from 1 .* got "0"/,
    ],
    ['a fraction', { maxRetries: 0.5 }, /MAX_RETRIES: expected a whole number .* got "0\.5"/],
    [
      'an endpoint that is none',
      { endpointUrl: 'example.com' },
      /AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: expected an origin/,
    ],
  ])('are refused: %s', (_what, props, message) => {
    expect(() => functionIn(props)).toThrow(message);
  });

  test('are refused: an environment that Lambda would not take, naming its largest entry', () => {
    const agents = [AGENT, { ...AGENT, id: 'long', name: 'Long', description: 'x'.repeat(4000) }];

    expect(() => functionIn({ agents })).toThrow(
      /environment has \d+ bytes, allowed are 4000: the largest entry is AGENTS \(\d+ bytes\), in it agent "long" \(\d+ bytes\)/,
    );
  });

  test('are refused: a VPC, given or set on the resource', () => {
    const stack = new Stack(new App(), 'Test');

    expect(() => functionIn({ vpc: new Vpc(stack, 'Vpc') as IVpc }, stack)).toThrow(
      /^vpc: a function in a VPC cannot stream/,
    );

    const { subject, template } = functionIn();
    (subject.function.node.defaultChild as CfnFunction).vpcConfig = { subnetIds: ['subnet-1'] };
    expect(template).toThrow(/vpc: a function in a VPC cannot stream/);
  });
});

test('works in an app of somebody else, twice in one stack, without our feature flags', () => {
  const stack = new Stack(new App(), 'Theirs', { env: { account: '444455556666', region: 'eu-west-1' } });

  for (const id of ['First', 'Second']) {
    new AgentStreamFunction(stack, id, { agents: [AGENT], code: code(), stackStatusPrefix: 'demo-' });
  }

  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Url', 2);
  expect(JSON.stringify(statements(template))).toContain(
    ':cloudformation:eu-west-1:444455556666:stack/demo-*/*',
  );
});
