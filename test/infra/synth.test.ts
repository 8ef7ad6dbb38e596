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

  test('stops the synthesis when there is a finding', () => {
    const app = ourApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const { stack } = stackOf({}, app);
    new Topic(stack, 'Unencrypted');

    expect(() => app.synth()).toThrow(/AwsSolutions-SNS3/);
  });
});
