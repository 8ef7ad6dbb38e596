import { RemovalPolicy } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { AgentEntry } from '../lambda/agents.ts';
import type { MetricName } from '../lambda/contract.ts';
import { SERVER_ENV, SERVER_SETTINGS } from '../lambda/hosts/server-config.ts';
import { agentEntries } from './agent-props.ts';
import { bundleSync, SERVER_ENTRY, SERVER_FOLDER } from './bundle.ts';
import { acknowledge } from './compliance.ts';
import { functionEnvironment } from './environment.ts';
import { letLogsUse } from './key-access.ts';
import { type StreamMetricProps, streamMetric } from './metrics.ts';
import { refuseNamesake } from './namesake.ts';
import { acknowledgeRoleFindings, grantDescribeStacks, grantInvokeAgent } from './runtime-access.ts';
import { sessionEnvironment, sessionTableOf } from './sessions.ts';
import { serviceNameOf } from './stage.ts';
import {
  type AgentStreamWebFunctionProps,
  checkWebProps,
  DEFAULT_CONCURRENCY,
  DEFAULT_TIMEOUT,
} from './web-function-props.ts';

/** Lambda ends an environment one second after it announces the end. Open answers must get their error before that. */
const SHUTDOWN_GRACE_MS = 400;

/**
 * The server as a Lambda Web Function, which may invoke the given agents and nothing else. One environment streams many
 * answers, and a stream that waits costs only its share of memory.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/web-functions.html
 */
export class AgentStreamWebFunction extends Construct {
  readonly host = 'web';
  readonly webFunction: lambda.WebFunction;
  /** The value of the dimension `service` of the function's metrics. */
  readonly serviceName: string;
  readonly logGroup: logs.ILogGroup;
  /** The table of sessions; undefined when sessions are not kept. */
  readonly sessionTable: ITable | undefined;
  /** The agents with their defaults filled in. */
  readonly agents: readonly AgentEntry[];

  constructor(scope: Construct, id: string, props: AgentStreamWebFunctionProps) {
    super(scope, id);
    const authType = props.authType ?? lambda.WebFunctionAuthType.IAM_AUTH;
    checkWebProps(props, authType);
    const isPublic = authType === lambda.WebFunctionAuthType.APPLICATION_MANAGED;
    const { encryptionKey, replicaRegions, maxEnvironments, stackStatusPrefix } = props;
    const concurrency = props.maxConcurrencyPerEnvironment ?? DEFAULT_CONCURRENCY;
    const timeout = props.timeout ?? DEFAULT_TIMEOUT;
    this.agents = agentEntries(this, props.agents);
    this.serviceName = props.serviceName ?? serviceNameOf(props.stage);
    refuseNamesake(this);
    this.logGroup = props.logGroup ?? this.#ownLogGroup(props);
    const role = props.role ?? this.#ownRole();
    this.logGroup.grantWrite(role);
    const use = { invokeAgentAction: props.invokeAgentAction ?? true };
    for (const agent of this.agents) grantInvokeAgent(role, agent, use);
    if (stackStatusPrefix !== undefined) grantDescribeStacks(this, role, stackStatusPrefix);
    this.sessionTable = sessionTableOf(this, role, props);
    acknowledgeRoleFindings(role, this.logGroup, stackStatusPrefix);
    acknowledge(role, 'IAMNoInlinePolicy');

    const environment = functionEnvironment(
      this.agents,
      { stage: props.stage, serviceName: this.serviceName },
      props,
      {
        ...sessionEnvironment(
          props,
          this.sessionTable,
          isPublic ? lambda.FunctionUrlAuthType.NONE : lambda.FunctionUrlAuthType.AWS_IAM,
        ),
        // Lambda enforces the limit. A lower limit in the server would refuse requests that Lambda lets through.
        [SERVER_SETTINGS.maxStreams.variable]: String(concurrency),
        [SERVER_SETTINGS.requestTimeout.variable]: String(timeout.toMilliseconds()),
        [SERVER_SETTINGS.shutdownGrace.variable]: String(SHUTDOWN_GRACE_MS),
        ...(props.allowedOrigins && { [SERVER_ENV.ALLOWED_ORIGINS]: props.allowedOrigins.join(',') }),
      },
    );
    this.webFunction = new lambda.WebFunction(this, 'WebFunction', {
      revisionDescription: 'Streams AgentCore agents to the browser',
      runtime: lambda.WebFunctionRuntime.NODEJS_24_X,
      code: props.code ?? lambda.WebFunctionCode.fromAssetToManagedBucket(bundleSync(SERVER_FOLDER)),
      entryPoint: SERVER_ENTRY,
      role,
      timeout,
      environment,
      logGroup: this.logGroup,
      // A level above INFO would drop the metrics: they are log lines without a level, which Lambda takes for INFO.
      applicationLogLevel: lambda.ApplicationLogLevel.INFO,
      systemLogLevel: lambda.SystemLogLevel.INFO,
      maxConcurrencyPerEnvironment: concurrency,
      defaultEndpointAuth: authType,
      defaultEndpoint: {
        ...(maxEnvironments !== undefined && { maxEnvironments }),
        ...(replicaRegions && {
          endpointLocation: lambda.WebFunctionEndpointLocation.multiRegion([...replicaRegions]),
        }),
      },
      ...(encryptionKey && { kmsKey: encryptionKey }),
    });
  }

  /** The address that callers send their requests to, without a trailing slash. */
  get url(): string {
    return `https://${this.webFunction.endpoint.domainName}`;
  }

  /**
   * Lets a principal call the endpoint (`lambda:InvokeWebFunctionEndpoint`). The caller signs with SigV4, or with
   * SigV4a when there are further regions, and sends `X-Amz-Content-SHA256`.
   */
  grantInvokeEndpoint(grantee: iam.IGrantable): iam.Grant {
    return this.webFunction.endpoint.grants.invoke(grantee);
  }

  /**
   * A metric that the function emits, of all agents together or of one agent.
   *
   * @default statistic - Sum for counts and bytes, p90 for times, Maximum for a level
   */
  metric(metricName: MetricName, props?: StreamMetricProps): Metric {
    return streamMetric(metricName, { service: this.serviceName, ...props });
  }

  #ownRole(): iam.Role {
    return new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Invokes the configured AgentCore runtimes and writes logs',
    });
  }

  #ownLogGroup({
    encryptionKey,
    logRetention,
    logRemovalPolicy,
  }: AgentStreamWebFunctionProps): logs.LogGroup {
    if (encryptionKey) letLogsUse(this, encryptionKey);
    return new logs.LogGroup(this, 'LogGroup', {
      retention: logRetention ?? logs.RetentionDays.TWO_WEEKS,
      removalPolicy: logRemovalPolicy ?? RemovalPolicy.DESTROY,
      ...(encryptionKey && { encryptionKey }),
    });
  }
}
