import { jest } from '@jest/globals';
import { CfnParameter, Stack } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { AGENT, functionIn, ourApp, runtimeArn, stackOf, statements } from './support.ts';

const only = (template: Template, type: string) => {
  const found = Object.entries(template.findResources(type));
  expect(found).toHaveLength(1);
  return found[0] as [string, { Properties: object }];
};

beforeEach(() => {
  // The CDK prints warnings as well.
  jest.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the one URL', () => {
  test('keeps its logical id, as another would be another URL for every caller', () => {
    const template = stackOf().template();

    const [id] = only(template, 'AWS::Lambda::Url');

    expect(id).toBe('StreamLiveFunctionUrlAC3196A1');
  });

  test('leads to the alias, which leads to a version that outlives the next one', () => {
    const template = stackOf().template();
    const [version] = only(template, 'AWS::Lambda::Version');

    template.hasResourceProperties('AWS::Lambda::Url', { Qualifier: 'live' });
    template.hasResourceProperties('AWS::Lambda::Alias', {
      Name: 'live',
      FunctionVersion: { 'Fn::GetAtt': [version, 'Version'] },
    });
    template.hasResource('AWS::Lambda::Version', { DeletionPolicy: 'Retain' });
  });

  test('is open where auth is none, and nothing beside it', () => {
    const { template } = functionIn({
      authType: FunctionUrlAuthType.NONE,
      allowedOrigins: ['*'],
      reservedConcurrentExecutions: 1,
    });

    const permissions = Object.values(template().findResources('AWS::Lambda::Permission'));

    expect(permissions.map(({ Properties }) => Properties.FunctionName)).toEqual([
      { Ref: expect.stringMatching(/^StreamLive/) },
      { Ref: expect.stringMatching(/^StreamLive/) },
    ]);
  });

  test('of versions before 0.2 can be kept, under the id that it had, and leads to the newest code', () => {
    const urls = functionIn({ formerUrl: true }).template().findResources('AWS::Lambda::Url');

    expect(Object.keys(urls).sort()).toEqual([
      'StreamFunctionFunctionUrl3EE8E1C2',
      'StreamLiveFunctionUrlAC3196A1',
    ]);
    expect(urls.StreamFunctionFunctionUrl3EE8E1C2?.Properties.Qualifier).toBeUndefined();
  });
});

describe('a version', () => {
  const versionOf = (props: Parameters<typeof functionIn>[0], stack?: Stack) =>
    only(functionIn(props, stack).template(), 'AWS::Lambda::Version');

  test('is another one where the function is, and the same where it is not', () => {
    const [first] = versionOf({});
    const [again] = versionOf({});
    const [changed] = versionOf({ memorySize: 1024 });

    expect(again).toBe(first);
    expect(changed).not.toBe(first);
  });

  test('names the end of a runtime’s id that the template does not know, so that another runtime is another version', () => {
    const stack = new Stack(ourApp(), 'Test');
    const parameter = new CfnParameter(stack, 'Arn').valueAsString;
    const agents = [AGENT, { id: 'b', name: 'B', runtimeArn: parameter }];

    const [, version] = versionOf({ agents }, stack);

    const id = { 'Fn::Select': [1, { 'Fn::Split': ['/', { Ref: 'Arn' }] }] };
    expect(version.Properties).toMatchObject({
      Description: { 'Fn::Select': [1, { 'Fn::Split': ['-', id] }] },
    });
    // What CloudFormation makes of an ARN.
    const [, runtimeId = ''] = runtimeArn('My_Agent').split('/');
    expect(runtimeId.split('-')[1]).toBe('a1B2c3D4e5');
  });

  test('has no description where the template has every ARN', () => {
    const [, version] = versionOf({});

    expect(version.Properties).not.toHaveProperty('Description');
  });
});

describe('provisioned concurrency', () => {
  test('is that of the alias', () => {
    functionIn({ provisionedConcurrentExecutions: 2, reservedConcurrentExecutions: 2 })
      .template()
      .hasResourceProperties('AWS::Lambda::Alias', {
        ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
      });
  });

  test.each([
    [
      { provisionedConcurrentExecutions: 0 },
      /^provisionedConcurrentExecutions: expected .* at least 1, got 0$/,
    ],
    [
      { provisionedConcurrentExecutions: 3, reservedConcurrentExecutions: 2 },
      /^provisionedConcurrentExecutions: expected .* from 1 to 2 \(the reserved concurrency\), got 3$/,
    ],
  ])('of %p is refused', (props, message) => {
    expect(() => functionIn(props)).toThrow(message);
  });
});

describe('a release', () => {
  test('is CloudFormation’s alone where nobody asks for more', () => {
    const template = stackOf().template();

    template.resourceCountIs('AWS::CodeDeploy::DeploymentGroup', 0);
    template.hasResource('AWS::Lambda::Alias', { UpdatePolicy: Match.absent() });
  });

  test.each([
    ['canary', 'CodeDeployDefault.LambdaCanary10Percent15Minutes'],
    ['linear', 'CodeDeployDefault.LambdaLinear10PercentEvery2Minutes'],
    ['all-at-once', 'CodeDeployDefault.LambdaAllAtOnce'],
  ] as const)(
    '%s moves the traffic by CodeDeploy, back where an alarm goes off or the check fails',
    (deployment, config) => {
      const template = stackOf({ deployment }).template();
      const alarms = Object.keys(template.findResources('AWS::CloudWatch::Alarm'));

      template.hasResourceProperties('AWS::CodeDeploy::DeploymentGroup', {
        DeploymentConfigName: config,
        AutoRollbackConfiguration: {
          Enabled: true,
          Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST', 'DEPLOYMENT_STOP_ON_ALARM'],
        },
      });
      const [, group] = only(template, 'AWS::CodeDeploy::DeploymentGroup');
      const { Enabled, Alarms } = (
        group.Properties as unknown as {
          AlarmConfiguration: { Enabled: boolean; Alarms: { Name: { Ref: string } }[] };
        }
      ).AlarmConfiguration;
      expect(Enabled).toBe(true);
      // Four of the service, and one of each agent.
      expect(Alarms).toHaveLength(7);
      for (const { Name } of Alarms) expect(alarms).toContain(Name.Ref);
      template.hasResource('AWS::Lambda::Alias', {
        UpdatePolicy: {
          CodeDeployLambdaAliasUpdate: {
            AfterAllowTrafficHook: { Ref: Match.stringLikeRegexp('^ReleaseCheck') },
          },
        },
      });
    },
  );

  test('takes as many alarms as CodeDeploy does, those of the service first', () => {
    const agents = Array.from({ length: 9 }, (_, i) => ({ ...AGENT, id: `a${i}`, name: `A${i}` }));

    const [, group] = only(
      stackOf({ deployment: 'canary', agents }).template(),
      'AWS::CodeDeploy::DeploymentGroup',
    );

    const { Alarms } = (
      group.Properties as unknown as { AlarmConfiguration: { Alarms: { Name: { Ref: string } }[] } }
    ).AlarmConfiguration;
    expect(Alarms).toHaveLength(10);
    expect(
      Alarms.slice(0, 4).map(({ Name }) => Name.Ref.replace(/^Observability|[0-9A-F]{8}$/g, '')),
    ).toEqual(['FunctionErrors', 'ErrorRate', 'Timeouts', 'IncompleteResponses']);
  });

  test('is checked by a function that may call the URL as a caller does, and nothing else', () => {
    const template = stackOf({ deployment: 'canary' }).template();
    const policies = Object.entries(template.findResources('AWS::IAM::Policy')).filter(([id]) =>
      id.startsWith('ReleaseCheck'),
    );

    const rights = policies.flatMap(([, { Properties }]) =>
      (Properties.PolicyDocument.Statement as { Action: string | string[]; Condition?: object }[]).map(
        ({ Action, Condition }) => [[Action].flat().join(), Condition],
      ),
    );

    expect(rights).toEqual([
      ['logs:CreateLogStream,logs:PutLogEvents', undefined],
      ['lambda:GetFunctionUrlConfig', undefined],
      ['lambda:InvokeFunctionUrl', undefined],
      ['lambda:InvokeFunction', { Bool: { 'lambda:InvokedViaFunctionUrl': true } }],
      ['xray:PutTelemetryRecords,xray:PutTraceSegments', undefined],
      ['codedeploy:PutLifecycleEventHookExecutionStatus', undefined],
    ]);
    expect(JSON.stringify(statements(template))).not.toContain('"lambda:*"');
  });
});
