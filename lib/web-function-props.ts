import type { RemovalPolicy } from 'aws-cdk-lib';
import { Duration } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { AgentProps } from './agent-props.ts';
import {
  checkOrigins,
  checkServiceName,
  checkStackStatusPrefix,
  checkStage,
  checkTimeout,
  checkWholeNumber,
} from './checks.ts';
import type { TuningProps } from './environment.ts';
import type { SessionProps } from './sessions.ts';

/** Options that only a Web Function has. */
export interface WebEndpointProps {
  /**
   * The most execution environments that serve at once. Each serves up to `maxConcurrencyPerEnvironment` answers.
   *
   * @default - only the account's quota is the limit; with authType APPLICATION_MANAGED the option is required
   */
  readonly maxEnvironments?: number;
  /** The most answers that one environment streams at once. Lambda may give it fewer. @default - 64 */
  readonly maxConcurrencyPerEnvironment?: number;
  /**
   * Further regions that serve under the same domain. Each request goes to the nearest region, and callers sign with
   * SigV4a. A change of this option changes the address.
   *
   * @default - the stack's region alone
   */
  readonly replicaRegions?: readonly string[];
}

export interface AgentStreamWebFunctionProps extends TuningProps, WebEndpointProps, SessionProps {
  /** The agents that may be called, given as for the function behind a Function URL. */
  readonly agents: readonly AgentProps[];
  /** Who may call the endpoint. @default - callers that sign with IAM credentials and are allowed to invoke it */
  readonly authType?: lambda.WebFunctionAuthType;
  /**
   * Origins of the pages that may call, or `*`. The option is refused with IAM, because a browser does not sign
   * preflights.
   *
   * @default - no page of another origin can call
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * The time after which Lambda ends a request, its stream included.
   *
   * @default - 15 minutes, the most that Lambda allows
   */
  readonly timeout?: Duration;
  /** The environment that /health reports. @default - "dev" */
  readonly stage?: string;
  /**
   * The function's name in logs and metrics.
   *
   * @default - "agentcore-stream", followed by the stage unless the stage is the default
   */
  readonly serviceName?: string;
  /** The key that encrypts the log group and the environment. @default - keys of AWS */
  readonly encryptionKey?: IKey;
  /** The role that the function runs as. Missing permissions are added to it. @default - a role is made */
  readonly role?: IRole;
  /** The log group that the function writes to. @default - a log group is made */
  readonly logGroup?: ILogGroup;
  /** How long logs are kept. @default - two weeks */
  readonly logRetention?: RetentionDays;
  /** What happens to the logs when the construct is removed. @default - they are deleted */
  readonly logRemovalPolicy?: RemovalPolicy;
  /** Whether the role also gets `bedrock-agentcore:InvokeAgent`, which AWS does not know. @default true */
  readonly invokeAgentAction?: boolean;
  /** The deployed code. @default - the bundle of this project, built now, in a bucket that the CDK makes */
  readonly code?: lambda.WebFunctionCode;
}

export const DEFAULT_CONCURRENCY = 64;
export const DEFAULT_TIMEOUT = Duration.minutes(15);

/** @throws Error naming the prop that is wrong, the expected value and the given one */
export function checkWebProps(
  props: AgentStreamWebFunctionProps,
  authType: lambda.WebFunctionAuthType,
): void {
  const { allowedOrigins, maxEnvironments, maxConcurrencyPerEnvironment, replicaRegions } = props;
  if (props.stage !== undefined) checkStage(props.stage);
  if (props.serviceName !== undefined) checkServiceName(props.serviceName);
  if (props.stackStatusPrefix !== undefined) checkStackStatusPrefix(props.stackStatusPrefix);
  checkTimeout(props.timeout, props.deadlineReserve);
  if (maxEnvironments !== undefined) checkWholeNumber('maxEnvironments', maxEnvironments, 2);
  if (maxConcurrencyPerEnvironment !== undefined) {
    checkWholeNumber('maxConcurrencyPerEnvironment', maxConcurrencyPerEnvironment, 1, 128);
  }
  if (replicaRegions?.length === 0) {
    throw new Error('replicaRegions: expected at least one region such as eu-west-1, got none: leave it out');
  }
  for (const name of ['sessionBinding', 'userId'] as const) {
    if (props[name] !== 'iam') continue;
    throw new Error(
      `${name}: expected none, because a Web Function is not told who signed a request, got iam; use a Function URL`,
    );
  }
  if (props.sessions !== undefined && props.sessionTable !== undefined) {
    throw new Error('sessions and sessionTable are two tables: give one of them');
  }
  if (allowedOrigins) checkOrigins(allowedOrigins);
  if (authType === lambda.WebFunctionAuthType.IAM_AUTH) {
    if (!allowedOrigins) return;
    throw new Error(
      'allowedOrigins: with IAM the endpoint refuses the preflight of a page of another origin, because browsers do not sign preflights; serve the page from the same domain by a CloudFront distribution with origin access control, or use authType APPLICATION_MANAGED (auth=none), or a Function URL, which answers preflights itself',
    );
  }
  if (!allowedOrigins) {
    throw new Error(
      'authType APPLICATION_MANAGED needs allowedOrigins: anybody may call, so name the origins whose pages may (a list such as https://app.example.com)',
    );
  }
  if (maxEnvironments === undefined) {
    throw new Error(
      'authType APPLICATION_MANAGED needs maxEnvironments: anybody may call, so say how many environments may serve (and be paid for) at once',
    );
  }
}
