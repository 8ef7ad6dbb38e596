import { jest } from '@jest/globals';
import { type App, Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { WebFunctionAuthType } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readServerConfig } from '../../lambda/hosts/server-config.ts';
import { readContext } from '../../lib/context.ts';
import type { Deployment } from '../../lib/deployment.ts';
import { stackOnHost } from '../../lib/host-stack.ts';
import type { AgentStreamWebFunctionProps } from '../../lib/web-function-props.ts';
import { schemaProblems, unknownTypes } from '../fixtures/service-spec.ts';
import { AGENT, functionIn, ourApp, statements, THREE_AGENTS, webFunctionIn } from './support.ts';

beforeEach(() => {
  // The CDK prints warnings as well.
  jest.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  jest.restoreAllMocks();
});

const PUBLIC = {
  authType: WebFunctionAuthType.APPLICATION_MANAGED,
  allowedOrigins: ['https://app.example.com'],
  maxEnvironments: 4,
} as const;

const deployed = (props: Partial<Deployment> = {}) =>
  stackOnHost(ourApp(), 'AgentStream', { agents: THREE_AGENTS, host: 'web', ...props });

describe('the Web Function', () => {
  test('runs the server for as long as Lambda allows, and lets callers in that sign', () => {
    const template = webFunctionIn().template();

    template.hasResourceProperties('AWS::Lambda::WebFunctionRevision', {
      BuildConfig: { RuntimeConfig: { Runtime: 'nodejs24.x' } },
      ServiceConfig: {
        TimeoutSeconds: 900,
        MaxConcurrencyPerEnvironment: 64,
        EnvironmentVariables: { AWS_LAMBDA_NODEJS_ENTRYPOINT: 'index.mjs' },
      },
    });
    template.hasResourceProperties('AWS::Lambda::WebFunctionEndpoint', {
      AuthType: 'IamAuth',
      EndpointType: 'HomeRegion',
    });
  });

  test('tells the server what it reads, in the words in which it reads it', () => {
    const template = webFunctionIn({
      ...PUBLIC,
      timeout: Duration.minutes(5),
      maxConcurrencyPerEnvironment: 100,
    }).template();
    const [revision] = Object.values(template.findResources('AWS::Lambda::WebFunctionRevision'));
    const environment = revision?.Properties.ServiceConfig.EnvironmentVariables as Record<string, string>;

    expect(readServerConfig(environment)).toMatchObject({
      maxStreams: 100,
      requestTimeoutMs: 300_000,
      allowedOrigins: ['https://app.example.com'],
    });
    // Lambda gives an environment one second to end, and a stream that is cut has an error to send in it.
    expect(readServerConfig(environment).shutdownGraceMs).toBeLessThan(1000);
  });

  test('may invoke its agents, write its log, and nothing else', () => {
    const actions = statements(webFunctionIn().template()).flatMap(({ Action, Resource }) =>
      [Action].flat().map((action) => ({ action, isWildcard: Resource === '*' })),
    );

    const own = actions.filter(({ action }) => /^(bedrock|xray|logs)/.test(String(action)));
    expect(own.map(({ action }) => action).sort()).toEqual([
      'bedrock-agentcore:InvokeAgent',
      'bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream',
      'bedrock-agentcore:StopRuntimeSession',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
    expect(own.filter(({ isWildcard }) => isWildcard)).toEqual([]);
  });

  test('serves in further regions under one domain', () => {
    webFunctionIn({ replicaRegions: ['eu-west-1'] })
      .template()
      .hasResourceProperties('AWS::Lambda::WebFunctionEndpoint', {
        EndpointType: 'MultiRegion',
        Regions: ['eu-west-1'],
      });
  });

  test('lets a principal call it', () => {
    const { stack, subject, template } = webFunctionIn();
    const role = new Role(stack, 'Caller', { assumedBy: new AccountRootPrincipal() });

    subject.grantInvokeEndpoint(role);

    expect(statements(template()).flatMap(({ Action }) => Action)).toContain(
      'lambda:InvokeWebFunctionEndpoint',
    );
  });

  test.each<[Partial<AgentStreamWebFunctionProps>, RegExp]>([
    [
      { allowedOrigins: ['*'] },
      /^allowedOrigins: with IAM the endpoint refuses the preflight .* origin access control/,
    ],
    [{ ...PUBLIC, allowedOrigins: undefined as never }, /APPLICATION_MANAGED needs allowedOrigins/],
    [{ ...PUBLIC, maxEnvironments: undefined as never }, /APPLICATION_MANAGED needs maxEnvironments/],
    [{ maxEnvironments: 1 }, /^maxEnvironments: expected a whole number of at least 2, got 1$/],
    [{ maxConcurrencyPerEnvironment: 129 }, /^maxConcurrencyPerEnvironment: .* from 1 to 128, got 129$/],
    [{ replicaRegions: [] }, /^replicaRegions: expected at least one region/],
    [
      { sessionBinding: 'iam' },
      /^sessionBinding: expected none, because a Web Function is not told who signed/,
    ],
    [{ userId: 'iam' }, /^userId: expected none/],
    [{ timeout: Duration.hours(1) }, /^timeout: expected at most 15 minutes/],
  ])('refuses %j', (props, message) => {
    expect(() => webFunctionIn(props)).toThrow(message);
  });
});

test('and a function of the same name would share metrics and alarms, which is refused', () => {
  const { stack } = functionIn();
  const second = new Stack(stack.node.root as App, 'Second');

  expect(() => webFunctionIn({}, second)).toThrow(
    /^serviceName: "agentcore-stream" is already the name of Test\/Stream/,
  );
  expect(() =>
    webFunctionIn({ serviceName: 'another' }, new Stack(stack.node.root as App, 'Third')),
  ).not.toThrow();
});

describe('the stack of host=web', () => {
  test.each<[string, Partial<Deployment>]>([
    ['for callers that sign', {}],
    [
      'for everybody',
      { authType: 'NONE' as never, allowedOrigins: ['https://app.example.com'], maxEnvironments: 4 },
    ],
    [
      'in production',
      {
        stage: 'prod',
        sessions: 'dynamodb',
        alarmEmail: 'oncall@example.com',
        replicaRegions: ['eu-west-1'],
      },
    ],
  ])('%s is valid by the schema of CloudFormation, as far as that knows its resources', (_what, props) => {
    const template = Template.fromStack(deployed(props)).toJSON();

    expect(schemaProblems(template)).toEqual([]);
    // Too new for the schema on npm; the CDK's own classes have checked their properties.
    expect(unknownTypes(template)).toEqual([
      'AWS::Lambda::WebFunction',
      'AWS::Lambda::WebFunctionEndpoint',
      'AWS::Lambda::WebFunctionRevision',
    ]);
  });

  test('would not be valid with a misspelled or missing property', () => {
    const template = Template.fromStack(deployed()).toJSON();
    const [id = ''] = Object.entries(template.Resources as Record<string, { Type: string }>)
      .filter(([, { Type }]) => Type === 'AWS::Logs::LogGroup')
      .map(([name]) => name);
    template.Resources[id].Properties = { RetentionInDay: 14 };
    const [role = ''] = Object.entries(template.Resources as Record<string, { Type: string }>)
      .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
      .map(([name]) => name);
    template.Resources[role].Properties = {};

    expect(schemaProblems(template)).toEqual([
      `${id} (AWS::Logs::LogGroup): unknown "RetentionInDay"`,
      `${role} (AWS::IAM::Role): "AssumeRolePolicyDocument" is missing`,
    ]);
  });

  test('takes the same props for who is told of what as that of a Function URL', () => {
    const template = Template.fromStack(
      deployed({
        stage: 'prod',
        alarmEmail: 'oncall@example.com',
        runbookUrl: 'https://wiki.example.com/runbook',
        slowFirstChunk: Duration.seconds(7),
        slowStart: Duration.seconds(40),
        slowConnection: Duration.seconds(30),
      }),
    );

    // Those that tell are told of in production, the end included.
    const composites = Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm'));
    expect(
      composites.filter(({ Properties }) => Properties.AlarmActions && Properties.OKActions),
    ).toHaveLength(2 + THREE_AGENTS.length);
    for (const limitMs of [7000, 40_000, 30_000]) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmDescription: Match.stringLikeRegexp(
          `took over ${limitMs} ms.*https://wiki.example.com/runbook#`,
        ),
      });
    }
    for (const output of ['EndpointUrl', 'DashboardUrl', 'Version']) template.hasOutput(output, {});
  });

  test('keeps logs and sessions of production when the stack goes', () => {
    const template = Template.fromStack(deployed({ stage: 'prod', sessions: 'dynamodb' }));

    for (const type of ['AWS::Logs::LogGroup', 'AWS::DynamoDB::Table']) {
      template.hasResource(type, { DeletionPolicy: 'Retain' });
    }
  });

  test('warns in production where nobody is told, and no runbook is linked', () => {
    const annotations = Annotations.fromStack(deployed({ stage: 'prod' }));

    annotations.hasWarning('*', Match.stringLikeRegexp('no one receives the alarms'));
    annotations.hasWarning('*', Match.stringLikeRegexp('set runbookUrl'));
  });

  test('has no finding of cdk-nag that is not acknowledged', () => {
    const stack = deployed({ stage: 'prod', stackStatusPrefix: 'demo-' });

    expect(new AwsSolutionsChecks(stack).validateScope(stack).violations).toEqual([]);
  });

  test.each<[Partial<Deployment>, RegExp]>([
    [{ reservedConcurrentExecutions: 5 }, /^reservedConcurrentExecutions with host=web: .* maxEnvironments$/],
    [{ memorySize: 512 }, /^memorySize with host=web: a Web Function always has 2 GB/],
    [
      { distribution: true },
      /^distribution=on needs webAclArn or reservedConcurrency \(with host=web maxEnv/,
    ],
    [{ domainName: 'a.example.com' }, /^domainName is given without distribution/],
    [{ deployment: 'canary' as never }, /^deployment with host=web: CodeDeploy does not know/],
  ])('refuses %j and says what to do', (props, message) => {
    expect(() => deployed(props)).toThrow(message);
  });

  test('may have a distribution in front of its endpoint, which lets it in and says where it is', () => {
    const template = Template.fromStack(deployed({ distribution: true, maxEnvironments: 4 }));

    template.resourceCountIs('AWS::CloudFront::Distribution', 1);
    template.hasOutput('DistributionUrl', {});
    const [policy] = Object.values(template.findResources('AWS::Lambda::ResourcePolicy'));
    expect(JSON.stringify(policy)).toContain('cloudfront.amazonaws.com');
  });

  test('is the only one that takes its own props', () => {
    expect(() => deployed({ host: 'function-url', maxEnvironments: 4 })).toThrow(
      /^maxEnvironments: expected only with host=web/,
    );
  });
});

describe('the context keys of a Web Function', () => {
  const context = { onboardingAgentArn: AGENT.runtimeArn };

  test('become its props', () => {
    expect(
      readContext({
        ...context,
        host: 'web',
        maxEnvironments: '4',
        maxConcurrencyPerEnvironment: '100',
        replicaRegions: 'eu-west-1, ap-northeast-1',
      }),
    ).toMatchObject({
      host: 'web',
      maxEnvironments: 4,
      maxConcurrencyPerEnvironment: 100,
      replicaRegions: ['eu-west-1', 'ap-northeast-1'],
    });
  });

  test.each([
    [{ host: 'ec2' }, /^host: expected one of function-url, web, got "ec2"/],
    [{ replicaRegions: 'Frankfurt' }, /^replicaRegions: expected regions such as eu-west-1, got "Frankfurt"/],
    [{ host: 'web', auth: 'none', allowedOrigins: '*' }, /^auth=none needs maxEnvironments/],
  ])('%j is refused', (keys, message) => {
    expect(() => readContext({ ...context, ...keys })).toThrow(message);
  });
});
