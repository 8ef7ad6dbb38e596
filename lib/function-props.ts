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
   * The agents that may be called, each by its runtime, by the ARN of it, or by the SSM parameter that holds the ARN. A
   * token is taken unvalidated.
   */
  readonly agents: readonly AgentProps[];
  /** Who may call the Function URL. @default - callers that sign with IAM credentials and are allowed to invoke it */
  readonly authType?: lambda.FunctionUrlAuthType;
  /** Origins of the pages that may call, or `*`. @default - no page of another origin can call */
  readonly allowedOrigins?: readonly string[];
  /**
   * Most answers that may stream at once, as one answer occupies one execution environment; 0 switches the
   * function off.
   *
   * @default - only the account's concurrency is the limit; with authType NONE it must be given
   */
  readonly reservedConcurrentExecutions?: number;
  /**
   * Execution environments that are kept warm for the alias, billed for the time that they are; not more than
   * `reservedConcurrentExecutions`.
   *
   * @default - none: an environment starts with its first request
   */
  readonly provisionedConcurrentExecutions?: number;
  /**
   * Whether the Function URL that versions before 0.2 had is kept beside that of the alias, until its callers have moved.
   * It always leads to the newest code.
   *
   * @default false
   */
  readonly formerUrl?: boolean;
  /**
   * In MiB, which is also what an answer is billed by and how much CPU it has (1,769 MiB is one vCPU). docs/cost.md has
   * what each size costs in dollars and in milliseconds.
   *
   * @default - 512 MiB, 0.29 vCPU
   */
  readonly memorySize?: number;
  /** After which Lambda ends an invocation. @default - 15 minutes, the most that Lambda allows */
  readonly timeout?: Duration;
  /** What /health tells as its environment. @default - "dev" */
  readonly stage?: string;
  /**
   * What logs, metrics and traces call the function: two functions of one account and region must not share it, or
   * they share metrics and alarms.
   *
   * @default - "agentcore-stream", with the stage behind it unless that is the default
   */
  readonly serviceName?: string;
  /** Encrypts the log group and the function's environment. @default - keys of AWS */
  readonly encryptionKey?: IKey;
  /** What the function runs as; what it lacks is added to it, unless it is imported as immutable. @default - a role is made */
  readonly role?: IRole;
  /** What the function writes to; retention, removal and encryption are its owner's. @default - a log group is made */
  readonly logGroup?: logs.ILogGroup;
  /** @default - logs are kept for two weeks */
  readonly logRetention?: logs.RetentionDays;
  /** What happens to the logs when the construct is removed. @default - they are deleted */
  readonly logRemovalPolicy?: RemovalPolicy;
  /**
   * Whether the role also gets `bedrock-agentcore:InvokeAgent`, an action that AWS does not know and that validators of
   * policies report.
   *
   * @default true
   */
  readonly invokeAgentAction?: boolean;
  /** The deployed code. @default - the bundle of this project, built now */
  readonly code?: lambda.Code;
  /** Not supported: a function in a VPC cannot stream through its URL. @default - no VPC */
  readonly vpc?: IVpc;
}

/** Why there is no VPC. */
export const VPC_REASON =
  'vpc: a function in a VPC cannot stream through its Function URL (https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html); leave it out, AgentCore is reached over TLS and IAM';

/** @throws Error naming the prop that is wrong, what was expected and what came */
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
