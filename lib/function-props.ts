import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { AgentProps } from './agent-props.ts';
import {
  checkMemorySize,
  checkOrigins,
  checkServiceName,
  checkStackStatusPrefix,
  checkStage,
  checkTimeout,
  checkWholeNumber,
} from './checks.ts';
import { checkProvisioned } from './concurrency.ts';
import type { TuningProps } from './environment.ts';
import { checkSessions, type SessionProps } from './sessions.ts';

export interface AgentStreamFunctionProps extends TuningProps, SessionProps {
  /**
   * The agents that may be called. Each is given by its runtime, by the runtime's ARN, or by the SSM parameter that
   * holds the ARN. Tokens are not validated.
   */
  readonly agents: readonly AgentProps[];
  /** Who may call the Function URL. @default - callers that sign with IAM credentials and are allowed to invoke it */
  readonly authType?: lambda.FunctionUrlAuthType;
  /** Origins of the pages that may call, or `*`. @default - no page of another origin can call */
  readonly allowedOrigins?: readonly string[];
  /**
   * The most answers that may stream at once: each answer occupies one execution environment. 0 switches the function
   * off.
   *
   * @default - only the account's concurrency is the limit; with authType NONE the option is required
   */
  readonly reservedConcurrentExecutions?: number;
  /**
   * The number of execution environments that are kept warm for the alias; they are billed for as long as they are
   * kept. At most `reservedConcurrentExecutions`.
   *
   * @default - none: an environment starts with its first request
   */
  readonly provisionedConcurrentExecutions?: number;
  /**
   * Whether the Function URL of versions before 0.2 is kept beside the alias's URL until its callers have moved. The
   * old URL always leads to the newest code.
   *
   * @default false
   */
  readonly formerUrl?: boolean;
  /**
   * The function's memory in MiB. The memory also decides what an answer costs and how much CPU it has (1,769 MiB is
   * one vCPU). docs/cost.md lists what each size costs in dollars and in milliseconds.
   *
   * @default - 512 MiB, 0.29 vCPU
   */
  readonly memorySize?: number;
  /** The time after which Lambda ends an invocation. @default - 15 minutes, the most that Lambda allows */
  readonly timeout?: Duration;
  /** The environment that /health reports. @default - "dev" */
  readonly stage?: string;
  /**
   * The function's name in logs, metrics and traces. Two functions of one account and region must not share a name, or
   * they share metrics and alarms.
   *
   * @default - "agentcore-stream", followed by the stage unless the stage is the default
   */
  readonly serviceName?: string;
  /** The key that encrypts the log group and the function's environment. @default - keys of AWS */
  readonly encryptionKey?: IKey;
  /**
   * The role that the function runs as. Missing permissions are added to it, unless it is imported as immutable.
   *
   * @default - a role is made
   */
  readonly role?: IRole;
  /**
   * The log group that the function writes to. Its owner decides on retention, removal and encryption.
   *
   * @default - a log group is made
   */
  readonly logGroup?: logs.ILogGroup;
  /** How long logs are kept. @default - two weeks */
  readonly logRetention?: logs.RetentionDays;
  /** What happens to the logs when the construct is removed. @default - they are deleted */
  readonly logRemovalPolicy?: RemovalPolicy;
  /**
   * Whether the role also gets `bedrock-agentcore:InvokeAgent`. AWS does not know this action, and policy validators
   * report it.
   *
   * @default true
   */
  readonly invokeAgentAction?: boolean;
  /** The deployed code. @default - the bundle of this project, built now */
  readonly code?: lambda.Code;
  /** Not supported: a function in a VPC cannot stream through its URL. @default - no VPC */
  readonly vpc?: IVpc;
}

/** The error that the option `vpc` causes. */
export const VPC_REASON =
  'vpc: a function in a VPC cannot stream through its Function URL (https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html); leave it out, AgentCore is reached over TLS and IAM';

/** @throws Error naming the prop that is wrong, the expected value and the given one */
export function checkProps(props: AgentStreamFunctionProps, authType: lambda.FunctionUrlAuthType): void {
  const { allowedOrigins, memorySize, reservedConcurrentExecutions, serviceName, stackStatusPrefix } = props;
  if (props.vpc !== undefined) throw new Error(VPC_REASON);
  if (props.stage !== undefined) checkStage(props.stage);
  if (serviceName !== undefined) checkServiceName(serviceName);
  if (memorySize !== undefined) checkMemorySize(memorySize);
  checkTimeout(props.timeout, props.deadlineReserve);
  if (reservedConcurrentExecutions !== undefined) {
    checkWholeNumber('reservedConcurrentExecutions', reservedConcurrentExecutions, 0);
  }
  checkProvisioned(props.provisionedConcurrentExecutions, reservedConcurrentExecutions);
  if (allowedOrigins) checkOrigins(allowedOrigins);
  if (stackStatusPrefix !== undefined) checkStackStatusPrefix(stackStatusPrefix);
  checkSessions(props, authType);
  if (authType !== lambda.FunctionUrlAuthType.NONE) return;
  if (!allowedOrigins) {
    throw new Error(
      'authType NONE needs allowedOrigins: anybody may call, so name the origins whose pages may (a list such as https://app.example.com)',
    );
  }
  if (reservedConcurrentExecutions === undefined) {
    throw new Error(
      'authType NONE needs reservedConcurrentExecutions: anybody may call, so say how many answers may stream (and be paid for) at once',
    );
  }
}
