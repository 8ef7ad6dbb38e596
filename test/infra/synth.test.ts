import { Validations } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ourApp, stackOf } from './support.ts';

describe('cdk-nag, AwsSolutions', () => {
  const everything = {
    alarmEmail: 'oncall@example.com',
    allowedOrigins: ['*'],
    reservedConcurrentExecutions: 10,
    stage: 'prod',
    deployment: 'canary',
    distribution: true,
    domainName: 'app.example.com',
    certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b',
    pageBucketName: 'my-page',
  } as const;

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

    const ofAwsSolutions = acknowledged.filter(([id]) => id.includes('AwsSolutions'));
    expect(ofAwsSolutions.map(([id]) => id.replace(/^annotation::/i, '')).sort()).toEqual([
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
