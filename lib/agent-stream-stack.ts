import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { importExisting } from './existing.ts';
import type { AgentStreamObservability } from './observability.ts';
import { AgentStreamProbe } from './probe.ts';
import { AgentStreamRelease } from './release.ts';
import { acknowledgeChoices } from './stack-compliance.ts';
import { distributionOf, outputDistribution } from './stack-distribution.ts';
import { observe } from './stack-observability.ts';
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
    const existing = importExisting(this, props);
    const version = projectVersion();

    this.stream = new AgentStreamFunction(this, 'Stream', {
      logRetention: production ? RetentionDays.ONE_YEAR : RetentionDays.TWO_WEEKS,
      sessionRemovalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      logRemovalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...existing,
      ...props,
    });
    const probe =
      props.probe && new AgentStreamProbe(this, 'Probe', { stream: this.stream, every: props.probe });
    const { stream } = this;
    const { observability, topics } = observe(this, { stream, deployment: props, existing, version, probe });
    this.observability = observability;
    let release: AgentStreamRelease | undefined;
    if (props.deployment !== undefined) {
      const { host, errorRate, timeouts, incompleteResponses, agents } = observability.alarms;
      release = new AgentStreamRelease(this, 'Release', {
        stream: this.stream,
        strategy: props.deployment,
        alarms: [
          ...(host.functionErrors ? [host.functionErrors] : []),
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
