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

/** What a Web Function alone can be told. */
export interface WebEndpointProps {
  /**
   * Most execution environments that serve at once; each serves up to `maxConcurrencyPerEnvironment` answers.
   *
   * @default - only the account's quota is the limit; with authType APPLICATION_MANAGED it must be given
   */
  readonly maxEnvironments?: number;
  /** Most answers that one environment streams at once; Lambda may give it fewer. @default - 64 */
  readonly maxConcurrencyPerEnvironment?: number;
  /**
   * Further regions that serve, under one domain; each request goes to the nearest one. Callers then sign with SigV4a.
   * To change it changes the address.
   *
   * @default - the stack's region alone
   */
  readonly replicaRegions?: readonly string[];
}

export interface AgentStreamWebFunctionProps extends TuningProps, WebEndpointProps, SessionProps {
  /** The agents that may be called, as those of the function behind a Function URL. */
  readonly agents: readonly AgentProps[];
  /** Who may call the endpoint. @default - callers that sign with IAM credentials and are allowed to invoke it */
  readonly authType?: lambda.WebFunctionAuthType;
  /** Origins of the pages that may call, or `*`; with IAM a page cannot. @default - no page of another origin can call */
  readonly allowedOrigins?: readonly string[];
  /** After which Lambda ends a request, its stream included. @default - 15 minutes, the most that Lambda allows */
  readonly timeout?: Duration;
  /** What /health tells as its environment. @default - "dev" */
  readonly stage?: string;
  /** What logs and metrics call it. @default - "agentcore-stream", with the stage behind it unless that is the default */
  readonly serviceName?: string;
  /** Encrypts the log group and the environment. @default - keys of AWS */
  readonly encryptionKey?: IKey;
  /** What it runs as; what the role lacks is added to it. @default - a role is made */
  readonly role?: IRole;
  /** What it writes to. @default - a log group is made */
  readonly logGroup?: ILogGroup;
  /** @default - logs are kept for two weeks */
  readonly logRetention?: RetentionDays;
  /** What happens to the logs when the construct is removed. @default - they are deleted */
  readonly logRemovalPolicy?: RemovalPolicy;
  /** Whether the role also gets `bedrock-agentcore:InvokeAgent`, an action that AWS does not know. @default true */
  readonly invokeAgentAction?: boolean;
  /** The deployed code. @default - the bundle of this project, built now, in a bucket that the CDK makes */
  readonly code?: lambda.WebFunctionCode;
}

export const DEFAULT_CONCURRENCY = 64;
export const DEFAULT_TIMEOUT = Duration.minutes(15);

/** @throws Error naming the prop that is wrong, what was expected and what came */
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
      `${name}: expected none, as a Web Function is not told who has signed, got iam; use a Function URL`,
    );
  }
  if (props.sessions !== undefined && props.sessionTable !== undefined) {
    throw new Error('sessions and sessionTable are two tables: give one of them');
  }
  if (allowedOrigins) checkOrigins(allowedOrigins);
  if (authType === lambda.WebFunctionAuthType.IAM_AUTH) {
    if (!allowedOrigins) return;
    throw new Error(
      'allowedOrigins: a browser does not sign the preflight that it sends before a request of another origin, so that with IAM the endpoint refuses it; serve the page from the same domain by a CloudFront distribution with origin access control, or use authType APPLICATION_MANAGED (auth=none), or a Function URL, which answers preflights itself',
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
