import { App, CfnParameter, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { readConfig } from '../../lambda/config.ts';
import type { AgentStreamFunctionProps } from '../../lib/function-props.ts';
import { AgentStreamFunction } from '../../lib/streaming-function.ts';
import { AGENT, code, functionIn, statements } from './support.ts';

describe('the function', () => {
  test('runs the bundle on Node 24, arm64, for up to 15 minutes, traced', () => {
    const { template } = functionIn();

    template().hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: 900,
      MemorySize: 512,
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

test('works in an app of somebody else, twice in one stack, without our feature flags', () => {
  const stack = new Stack(new App(), 'Theirs', { env: { account: '444455556666', region: 'eu-west-1' } });

  for (const id of ['First', 'Second']) {
    new AgentStreamFunction(stack, id, {
      agents: [AGENT],
      code: code(),
      serviceName: id,
      stackStatusPrefix: 'demo-',
    });
  }

  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Url', 2);
  expect(JSON.stringify(statements(template))).toContain(
    ':cloudformation:eu-west-1:444455556666:stack/demo-*/*',
  );
});
