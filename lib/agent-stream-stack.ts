import { Annotations, CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { alarmTopics } from './alarm-topics.ts';
import type { Deployment } from './deployment.ts';
import { importExisting } from './existing.ts';
import { AgentStreamObservability } from './observability.ts';
import { AgentStreamProbe } from './probe.ts';
import { AgentStreamRelease } from './release.ts';
import { acknowledgeChoices } from './stack-compliance.ts';
import { distributionOf, outputDistribution } from './stack-distribution.ts';
import { isProduction } from './stage.ts';
import { AgentStreamFunction } from './streaming-function.ts';
import { projectVersion } from './version.ts';

export interface AgentStreamStackProps extends StackProps, Deployment {}

/** The function behind its Function URL, with alarms, dashboard and everything else that a deployment asks for. */
export class AgentStreamStack extends Stack {
  readonly stream: AgentStreamFunction;
  readonly observability: AgentStreamObservability;

  constructor(scope: Construct, id: string, props: AgentStreamStackProps) {
    const production = isProduction(props.stage);
    super(scope, id, { ...props, terminationProtection: props.terminationProtection ?? production });
    const { alarmEmail, alarmTopicArn, runbookUrl, slowFirstChunk, slowStart, slowConnection } = props;
    const existing = importExisting(this, props);
    const version = projectVersion();

    this.stream = new AgentStreamFunction(this, 'Stream', {
      logRetention: production ? RetentionDays.ONE_YEAR : RetentionDays.TWO_WEEKS,
      sessionRemovalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      logRemovalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...existing,
      ...props,
    });
    const encryptionKey = props.encryptionKey ?? existing.encryptionKey;
    const topics = alarmTopics(this, { alarmEmail, alarmTopicArn, encryptionKey });
    const probe =
      props.probe && new AgentStreamProbe(this, 'Probe', { stream: this.stream, every: props.probe });
    this.observability = new AgentStreamObservability(this, 'Observability', {
      stream: this.stream,
      alarmActions: topics.map((topic) => new SnsAction(topic)),
      notifyAll: production,
      version,
      ...(probe && { probe }),
      ...(runbookUrl !== undefined && { runbookUrl }),
      ...(slowFirstChunk !== undefined && { slowFirstChunk }),
      ...(slowStart !== undefined && { slowStart }),
      ...(slowConnection !== undefined && { slowConnection }),
    });
    let release: AgentStreamRelease | undefined;
    if (props.deployment !== undefined) {
      const { functionErrors, errorRate, timeouts, incompleteResponses, agents } = this.observability.alarms;
      release = new AgentStreamRelease(this, 'Release', {
        stream: this.stream,
        strategy: props.deployment,
        alarms: [
          functionErrors,
          errorRate,
          timeouts,
          incompleteResponses,
          ...agents.map(({ fails }) => fails),
        ],
      });
    }
    const { function: fn, alias, logGroup } = this.stream;
    acknowledgeChoices(
      {
        logging: [logGroup, probe, release],
        topics,
        bounded: fn,
        called: props.formerUrl ? [alias, fn] : [alias],
      },
      props,
    );
    const distribution = distributionOf(this, this.stream.functionUrl, props);
    if (distribution) outputDistribution(this, distribution);
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
    this.#output('FunctionArn', this.stream.alias.functionArn, 'For the policy of callers that sign');
    this.#output('LogGroup', this.stream.logGroup.logGroupName, 'For Logs Insights');
    this.#output('DashboardUrl', this.observability.dashboardUrl, 'The dashboard, which on-call opens first');
    this.#output('Version', version, 'The deployed version and commit');
  }

  #output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
