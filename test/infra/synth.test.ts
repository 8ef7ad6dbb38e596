import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Validations } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readContext } from '../../lib/context.ts';
import { ourApp, runtimeArn, stackOf } from './support.ts';

test('three ARNs synthesize without credentials, with every check of bin/app.ts and none unhappy', () => {
  const app = ourApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const complaints = jest.spyOn(console, 'error').mockImplementation(() => {});
  stackOf(
    readContext({
      onboardingAgentArn: runtimeArn('OnboardingAgent'),
      provisioningAgentArn: runtimeArn('ProvisioningAgent'),
      mwcAgentArn: runtimeArn('MWCAgent'),
      stackStatusPrefix: 'demo-',
      alarmEmail: 'oncall@example.com',
    }),
    app,
  );
  process.env.CDK_VALIDATION = 'true';

  const { template } = app.synth().getStackByName('AgentStream');

  expect(complaints).not.toHaveBeenCalled();
  expect(JSON.stringify(template)).not.toMatch(/AKIA|SecretAccessKey|SessionToken/i);
});

test('bin/app.ts fails with one line that says what to change', () => {
  const context = { mwcAgentArn: runtimeArn('MWCAgent'), auth: 'none' };

  const { status, stderr } = spawnSync(process.execPath, ['bin/app.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    encoding: 'utf8',
    env: { PATH: process.env.PATH, CDK_CONTEXT_JSON: JSON.stringify(context) },
  });

  expect(stderr).toMatch(/^error: auth=none needs allowedOrigins: .*\n$/);
  expect(status).toBe(1);
});

afterEach(() => {
  jest.restoreAllMocks();
  process.env.CDK_VALIDATION = 'false';
});

describe('cdk-nag, AwsSolutions', () => {
  const everything = {
    alarmEmail: 'oncall@example.com',
    allowedOrigins: ['*'],
    reservedConcurrentExecutions: 10,
    stage: 'prod',
  };

  test.each([
    ['of one stack prefix', { ...everything, stackStatusPrefix: 'demo-' }],
    ['of every stack', { ...everything, stackStatusPrefix: '*' }],
    [
      'in a known account',
      { ...everything, stackStatusPrefix: 'a', env: { account: '111122223333', region: 'us-east-1' } },
    ],
  ])('finds nothing that was not acknowledged, with the status %s', (_what, props) => {
    const { stack } = stackOf(props);

    const { violations } = new AwsSolutionsChecks(stack).validateScope(stack);

    expect(violations).toEqual([]);
  });

  test('would find something: each acknowledgement has its reason', () => {
    const { subject } = stackOf({ stackStatusPrefix: 'demo-' });
    const acknowledged = subject.node
      .findAll()
      .flatMap(({ node }) => node.metadata)
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>));

    expect(acknowledged.map(([id]) => id.replace(/^annotation::/i, '')).sort()).toEqual([
      'AwsSolutions-IAM5[Resource::*]',
      'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/demo-*/*]',
    ]);
    for (const [, reason] of acknowledged) expect(reason.length).toBeGreaterThan(40);
  });

  test('stops the synthesis when there is a finding', () => {
    const app = ourApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const { stack } = stackOf({}, app);
    new Topic(stack, 'Unencrypted');

    expect(() => app.synth()).toThrow(/AwsSolutions-SNS3/);
  });
});
