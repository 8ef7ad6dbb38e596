import { Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { acknowledge } from './compliance.ts';
import { letAlarmsUse } from './key-access.ts';
import { arnOf } from './ssm-arn.ts';

export interface AlarmTopicOptions {
  readonly alarmEmail?: string | undefined;
  readonly alarmTopicArn?: string | undefined;
  /** The key that encrypts the topic for the e-mail address. */
  readonly encryptionKey?: kms.IKey | undefined;
}

/** The topics that receive the alarms: the given topic, and a new one for the e-mail address. */
export function alarmTopics(scope: Construct, options: AlarmTopicOptions): sns.ITopic[] {
  const { alarmEmail, alarmTopicArn, encryptionKey } = options;
  const topics: sns.ITopic[] = [];
  if (alarmTopicArn !== undefined) {
    const arn = arnOf(scope, 'alarmTopicArn', alarmTopicArn);
    checkRegion(scope, arn);
    topics.push(sns.Topic.fromTopicArn(scope, 'GivenAlarmTopic', arn));
  }
  if (alarmEmail !== undefined) topics.push(emailTopic(scope, alarmEmail, encryptionKey));
  return topics;
}

/**
 * Checks that a topic is in the stack's region, because an alarm reaches topics of its own region only. When the stack
 * does not name its region, the region of the CLI counts.
 *
 * @throws Error naming both regions
 */
function checkRegion(scope: Construct, arn: string): void {
  const { region } = Stack.of(scope);
  const known = Token.isUnresolved(region) ? process.env.CDK_DEFAULT_REGION : region;
  const [, , , ofTopic] = Token.isUnresolved(arn) ? [] : arn.split(':');
  if (known === undefined || ofTopic === undefined || ofTopic === known) return;
  throw new Error(
    `alarmTopicArn: expected a topic in ${known}, because alarms notify topics of their own region only, got ${JSON.stringify(arn)}`,
  );
}

function emailTopic(scope: Construct, email: string, encryptionKey: kms.IKey | undefined): sns.ITopic {
  const topic = new sns.Topic(scope, 'AlarmTopic', {
    enforceSSL: true,
    ...(encryptionKey && { masterKey: encryptionKey }),
  });
  if (encryptionKey) letAlarmsUse(scope, encryptionKey);
  topic.addSubscription(new EmailSubscription(email));
  acknowledge(topic, 'SNSRedrivePolicy');
  // A topic with a policy of its own has no default policy, which would let the account's alarms publish.
  topic.addToResourcePolicy(
    new iam.PolicyStatement({
      actions: ['sns:Publish'],
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  return topic;
}
