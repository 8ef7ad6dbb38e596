import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { AgentEntry } from '../lambda/agents.ts';
import type { MetricName } from '../lambda/contract.ts';
import { agentEntries } from './agent-props.ts';
import { BUNDLE_HANDLER, bundleSync } from './bundle.ts';
import { acknowledge } from './compliance.ts';
import { warnOfConcurrency } from './concurrency.ts';
import { CORS } from './cors.ts';
import { environmentProblem, functionEnvironment } from './environment.ts';
import { type AgentStreamFunctionProps, checkProps, VPC_REASON } from './function-props.ts';
import { letLogsUse } from './key-access.ts';
import { LIVE_ALIAS, versionOptions } from './live-alias.ts';
import { type StreamMetricProps, streamMetric } from './metrics.ts';
import { refuseNamesake } from './namesake.ts';
import {
  acknowledgeRoleFindings,
  acknowledgeTracing,
  grantDescribeStacks,
  grantInvokeAgent,
} from './runtime-access.ts';
import { sessionEnvironment, sessionTableOf } from './sessions.ts';
import { serviceNameOf } from './stage.ts';

/**
 * One Lambda function behind a streaming Function URL, allowed to invoke the given agents and nothing else.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
 */
export class AgentStreamFunction extends Construct {
  readonly host = 'function-url';
  readonly function: lambda.Function;
  /** The value of the dimension `service` of the function's metrics. */
  readonly serviceName: string;
  /** The alias `live`. It leads to the deployed version, or to the version that a rollback returned to. */
  readonly alias: lambda.Alias;
  /** The Function URL. It leads to the alias, and stays the same as long as the construct keeps its id. */
  readonly functionUrl: lambda.FunctionUrl;
  /** The key that encrypts logs and environment; undefined when AWS's own keys encrypt them. */
  readonly encryptionKey: IKey | undefined;
  /** The table of sessions; undefined when sessions are not kept. */
  readonly sessionTable: ITable | undefined;
  readonly logGroup: logs.ILogGroup;
  /** The agents with their defaults filled in. */
  readonly agents: readonly AgentEntry[];
  /** The most answers that may stream at once; undefined when only the account's quota is the limit. */
  readonly reservedConcurrentExecutions: number | undefined;

  constructor(scope: Construct, id: string, props: AgentStreamFunctionProps) {
    super(scope, id);
    const authType = props.authType ?? lambda.FunctionUrlAuthType.AWS_IAM;
    checkProps(props, authType);
    this.agents = agentEntries(this, props.agents);
    this.reservedConcurrentExecutions = props.reservedConcurrentExecutions;
    this.serviceName = props.serviceName ?? serviceNameOf(props.stage);
    this.encryptionKey = props.encryptionKey;
    refuseNamesake(this);

    this.logGroup = props.logGroup ?? this.#ownLogGroup(props);
    // Lambda's default role is not used: its managed policy may write to every log group.
    const role =
      props.role ??
      new iam.Role(this, 'Role', {
        assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
        description: 'Invokes the configured AgentCore runtimes and writes logs and traces',
      });
    this.logGroup.grantWrite(role);
    const use = { invokeAgentAction: props.invokeAgentAction ?? true, tellsUser: props.userId === 'iam' };
    for (const agent of this.agents) grantInvokeAgent(role, agent, use);
    if (props.stackStatusPrefix !== undefined) grantDescribeStacks(this, role, props.stackStatusPrefix);
    this.sessionTable = sessionTableOf(this, role, props);
    acknowledgeTracing(role);
    acknowledgeRoleFindings(role, this.logGroup, props.stackStatusPrefix);
    acknowledge(role, 'IAMNoInlinePolicy');

    this.function = new lambda.Function(this, 'Function', {
      description: 'Streams AgentCore agents to the browser',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: props.code ?? lambda.Code.fromAsset(bundleSync()),
      handler: BUNDLE_HANDLER,
      role,
      memorySize: props.memorySize ?? 512,
      timeout: props.timeout ?? Duration.minutes(15),
      environment: functionEnvironment(
        this.agents,
        { stage: props.stage, serviceName: this.serviceName },
        props,
        sessionEnvironment(props, this.sessionTable, authType),
      ),
      currentVersionOptions: versionOptions(this.agents),
      logGroup: this.logGroup,
      // A level above INFO would drop the metrics: they are log lines without a level, which Lambda takes for INFO.
      loggingFormat: lambda.LoggingFormat.JSON,
      applicationLogLevelV2: lambda.ApplicationLogLevel.INFO,
      systemLogLevelV2: lambda.SystemLogLevel.INFO,
      tracing: lambda.Tracing.ACTIVE,
      ...(props.encryptionKey && { environmentEncryption: props.encryptionKey }),
      ...(props.reservedConcurrentExecutions !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      }),
    });
    acknowledge(this.function, 'LambdaDLQ', 'LambdaInsideVPC');
    const { provisionedConcurrentExecutions } = props;
    this.alias = new lambda.Alias(this, 'Live', {
      aliasName: LIVE_ALIAS,
      version: this.function.currentVersion as lambda.IVersion,
      ...(provisionedConcurrentExecutions !== undefined && { provisionedConcurrentExecutions }),
    });
    const urlOptions = {
      authType,
      invokeMode: lambda.InvokeMode.RESPONSE_STREAM,
      ...(props.allowedOrigins && { cors: corsOptions(props.allowedOrigins) }),
    };
    this.functionUrl = this.alias.addFunctionUrl(urlOptions);
    if (props.formerUrl) this.function.addFunctionUrl(urlOptions);
    warnOfConcurrency(this, authType, props.reservedConcurrentExecutions);
    this.node.addValidation({ validate: () => this.#findProblems() });
  }

  /**
   * Lets a principal call the Function URL. The grant contains `lambda:InvokeFunctionUrl`, and `lambda:InvokeFunction`
   * for calls through the URL: Lambda answers 403 if either is missing.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
   */
  grantInvokeUrl(grantee: iam.IGrantable): iam.Grant {
    return this.functionUrl.grantInvokeUrl(grantee);
  }

  /**
   * A metric that the function emits, of all agents together or of one agent.
   *
   * @default statistic - Sum for counts and bytes, p90 for times, Maximum for a level
   */
  metric(metricName: MetricName, props?: StreamMetricProps): Metric {
    return streamMetric(metricName, { service: this.serviceName, ...props });
  }

  /** The requests for agents, without those that were the caller's mistake. @default statistic - Sum */
  metricInvocations(props?: StreamMetricProps): Metric {
    return this.metric('InvocationCount', props);
  }

  /** The invocations that did not end with a complete answer, for whatever reason. @default statistic - Sum */
  metricErrors(props?: StreamMetricProps): Metric {
    return this.metric('InvocationErrors', props);
  }

  /**
   * The time from the request to the agent's first chunk when no microVM had to be started.
   *
   * @default statistic - p90
   */
  metricFirstChunkLatencyWarm(props?: StreamMetricProps): Metric {
    return this.metric('FirstChunkLatencyWarm', props);
  }

  /** The answers that stream now: each occupies one execution environment. @default statistic - Maximum */
  metricConcurrentStreams(props?: MetricOptions): Metric {
    return this.function.metric('ConcurrentExecutions', { statistic: 'Maximum', ...props });
  }

  /** The responses of the Function URL with a status of 500 or more. @default statistic - Sum */
  metricUrl5xx(props?: MetricOptions): Metric {
    return this.function.metric('Url5xxCount', { statistic: 'Sum', ...props });
  }

  /** The responses of the Function URL with a status from 400 to 499. @default statistic - Sum */
  metricUrl4xx(props?: MetricOptions): Metric {
    return this.function.metric('Url4xxCount', { statistic: 'Sum', ...props });
  }

  #ownLogGroup({ encryptionKey, logRetention, logRemovalPolicy }: AgentStreamFunctionProps): logs.LogGroup {
    if (encryptionKey) letLogsUse(this, encryptionKey);
    return new logs.LogGroup(this, 'LogGroup', {
      retention: logRetention ?? logs.RetentionDays.TWO_WEEKS,
      removalPolicy: logRemovalPolicy ?? RemovalPolicy.DESTROY,
      ...(encryptionKey && { encryptionKey }),
    });
  }

  /** Finds problems in changes that other code made to the resource after it was created. */
  #findProblems(): string[] {
    const resource = this.function.node.defaultChild as lambda.CfnFunction;
    const { variables = {} } = Stack.of(this).resolve(resource.environment ?? {}) as {
      variables?: Record<string, unknown>;
    };
    const problems = [resource.vpcConfig && VPC_REASON, environmentProblem(variables)];
    return problems.filter((problem) => problem !== undefined);
  }
}

function corsOptions(allowedOrigins: readonly string[]): lambda.FunctionUrlCorsOptions {
  return {
    allowedOrigins: [...allowedOrigins],
    allowedHeaders: [...CORS.allowHeaders],
    allowedMethods: CORS.allowMethods.map((method) => lambda.HttpMethod[method]),
    exposedHeaders: [...CORS.exposeHeaders],
    maxAge: Duration.seconds(CORS.maxAgeSeconds),
  };
}
