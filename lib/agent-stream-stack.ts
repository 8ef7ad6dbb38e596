import { Annotations, CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { AgentStreamObservability } from './observability.ts';
import { isProduction } from './stage.ts';
import { AgentStreamFunction } from './streaming-function.ts';
import { projectVersion } from './version.ts';

export interface AgentStreamStackProps extends StackProps, Deployment {}

/** The product: the function behind its URL, and what on-call looks at. */
export class AgentStreamStack extends Stack {
  readonly stream: AgentStreamFunction;
  readonly observability: AgentStreamObservability;

  constructor(scope: Construct, id: string, props: AgentStreamStackProps) {
    super(scope, id, props);
    const { alarmEmail, alarmTopicArn, runbookUrl, slowFirstChunk } = props;
    const production = isProduction(props.stage);
    const version = projectVersion();

    this.stream = new AgentStreamFunction(this, 'Stream', {
      logRetention: production ? RetentionDays.ONE_YEAR : RetentionDays.TWO_WEEKS,
      logRemovalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...props,
    });
    const topics = this.#alarmTopics(alarmEmail, alarmTopicArn);
    this.observability = new AgentStreamObservability(this, 'Observability', {
      stream: this.stream,
      alarmActions: topics.map((topic) => new SnsAction(topic)),
      notifyAll: production,
      version,
      ...(runbookUrl !== undefined && { runbookUrl }),
      ...(slowFirstChunk !== undefined && { slowFirstChunk }),
    });
    if (production && topics.length === 0) {
      Annotations.of(this).addWarningV2(
        'agentcore-stream:silentAlarms',
        'no one receives the alarms: set alarmEmail or alarmTopicArn',
      );
    }
    if (production && runbookUrl === undefined) {
      Annotations.of(this).addWarningV2(
        'agentcore-stream:noRunbook',
        'alarms and dashboard only name docs/runbook.md: set runbookUrl to the address where on-call reads it',
      );
    }

    this.#output('FunctionUrl', this.stream.functionUrl.url, 'Where pages send their POST');
    this.#output('FunctionName', this.stream.function.functionName, 'For the AWS CLI, as in the runbook');
    this.#output('FunctionArn', this.stream.function.functionArn, 'For the policy of callers that sign');
    this.#output('LogGroup', this.stream.logGroup.logGroupName, 'For Logs Insights');
    this.#output('DashboardUrl', this.observability.dashboardUrl, 'What on-call looks at first');
    this.#output('Version', version, 'What is deployed: version and commit');
  }

  #alarmTopics(email: string | undefined, topicArn: string | undefined): sns.ITopic[] {
    const topics: sns.ITopic[] = [];
    if (topicArn !== undefined) topics.push(sns.Topic.fromTopicArn(this, 'GivenAlarmTopic', topicArn));
    if (email !== undefined) {
      const topic = new sns.Topic(this, 'AlarmTopic', { enforceSSL: true });
      topic.addSubscription(new EmailSubscription(email));
      // A topic with a policy of its own loses the default one, which let the account's alarms publish.
      topic.addToResourcePolicy(
        new iam.PolicyStatement({
          actions: ['sns:Publish'],
          principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
          resources: [topic.topicArn],
          conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
        }),
      );
      topics.push(topic);
    }
    return topics;
  }

  #output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
