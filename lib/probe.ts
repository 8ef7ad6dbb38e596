import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import { DIMENSIONS, METRIC_NAMESPACE, PROBE_ENV, PROBE_METRIC } from '../lambda/contract.ts';
import { BUNDLE_HANDLER, bundleSync, PROBE_FOLDER } from './bundle.ts';
import { acknowledge, acknowledgeWildcard } from './compliance.ts';
import { acknowledgeTracing } from './runtime-access.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

export interface AgentStreamProbeProps {
  readonly stream: AgentStreamFunction;
  /** How often every agent is asked, from 1 minute to 1 hour. Each run costs an answer of the agent's model. */
  readonly every: Duration;
  /** @default - the bundle of this project, built now */
  readonly code?: lambda.Code;
}

/** The pause before an agent that did not answer is asked again. */
const PAUSE = Duration.seconds(10);

/**
 * Asks each agent through the Function URL, as a caller does, and counts the agents that do not answer chunk by chunk.
 * An agent that fails is then noticed even when no user asks it.
 */
export class AgentStreamProbe extends Construct {
  readonly function: lambda.Function;
  readonly every: Duration;
  readonly #serviceName: string;

  /** @throws Error naming `every`, the expected value and the given one */
  constructor(scope: Construct, id: string, { stream, every, code }: AgentStreamProbeProps) {
    super(scope, id);
    checkProbeInterval(every);
    this.every = every;
    this.#serviceName = stream.serviceName;
    const logGroup = new logs.LogGroup(this, 'LogGroup', {
      retention: logs.RetentionDays.TWO_WEEKS,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(stream.encryptionKey && { encryptionKey: stream.encryptionKey }),
    });
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Asks the agents as a caller of the Function URL',
    });
    logGroup.grantWrite(role);
    stream.grantInvokeUrl(role);
    acknowledgeTracing(role);
    acknowledge(role, 'IAMNoInlinePolicy');

    const isPublic = stream.functionUrl.authType === lambda.FunctionUrlAuthType.NONE;
    this.function = new lambda.Function(this, 'Function', {
      description: 'Asks the agents whether they answer',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: code ?? lambda.Code.fromAsset(bundleSync(PROBE_FOLDER)),
      handler: BUNDLE_HANDLER,
      role,
      memorySize: 256,
      // The time is enough for two answers of a minute each, and for the pause between them.
      timeout: Duration.minutes(3),
      environment: {
        [PROBE_ENV.URL]: stream.functionUrl.url,
        [PROBE_ENV.IS_PUBLIC]: String(isPublic),
        [PROBE_ENV.AGENTS]: JSON.stringify(stream.agents.map((agent) => agent.id)),
        [PROBE_ENV.SERVICE_NAME]: stream.serviceName,
        [PROBE_ENV.PAUSE_MS]: String(PAUSE.toMilliseconds()),
      },
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      applicationLogLevelV2: lambda.ApplicationLogLevel.INFO,
      tracing: lambda.Tracing.ACTIVE,
      ...(stream.encryptionKey && { environmentEncryption: stream.encryptionKey }),
    });
    acknowledge(this.function, 'LambdaDLQ', 'LambdaInsideVPC', 'LambdaConcurrency');

    const scheduler = new iam.Role(this, 'SchedulerRole', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com'),
      description: 'Runs the probe',
    });
    acknowledge(scheduler, 'IAMNoInlinePolicy');
    acknowledgeWildcard(
      scheduler,
      `${this.function.functionArn}:*`,
      'the scheduler may invoke the one probe, in any of its versions',
    );
    new Schedule(this, 'Schedule', {
      schedule: ScheduleExpression.rate(every),
      // A failed run is not retried, because the next run comes soon.
      target: new LambdaInvoke(this.function, { role: scheduler, retryAttempts: 0 }),
      description: 'Runs the probe',
    });
  }

  /** The failures of one agent: 1 for each run in which it did not answer. */
  metricFailures(agent: string): Metric {
    return new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: PROBE_METRIC,
      statistic: Stats.MAXIMUM,
      dimensionsMap: { [DIMENSIONS.service]: this.#serviceName, [DIMENSIONS.agent]: agent },
      label: agent,
    });
  }
}

/** @throws Error naming the prop, the expected value and the given one */
export function checkProbeInterval(every: Duration): void {
  const seconds = every.toSeconds();
  if (seconds >= 60 && seconds <= 3600 && seconds % 60 === 0) return;
  throw new Error(`probe: expected whole minutes from 1 to 60, got ${seconds / 60} minutes`);
}
