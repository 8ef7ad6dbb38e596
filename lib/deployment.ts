import type { AgentProps } from './environment.ts';

/** What a deployment is told: the CDK context of `bin/app.ts`, or the props of somebody else's app. */
export interface Deployment {
  /** The agents that may be called. */
  readonly agents: readonly AgentProps[];
  /**
   * Tells deployments apart; `prod` and `production`, also with a suffix as in `prod-eu`, are production: its logs are kept for a
   * year and outlive the stack, and every alarm notifies.
   *
   * @default - "dev": logs go with the stack, and only the alarm "users are affected" notifies
   */
  readonly stage?: string;
  /** Whether callers sign with IAM credentials or anybody may call. @default - "iam" */
  readonly auth?: Auth;
  /** Origins of the pages that may call, or `*`. @default - no page of another origin can call */
  readonly allowedOrigins?: readonly string[];
  /** Most answers that may stream at once. @default - only the account's concurrency is the limit */
  readonly reservedConcurrency?: number;
  /** Shows the CloudFormation stacks whose name begins so; `*` for all. @default - the route is off */
  readonly stackStatusPrefix?: string;
  /** Gets the alarms by e-mail, after confirming. @default - no e-mail */
  readonly alarmEmail?: string;
  /** ARN of an SNS topic that gets the alarms; CloudWatch must be allowed to publish to it. @default - no topic */
  readonly alarmTopicArn?: string;
}

export const AUTHS = ['iam', 'none'] as const;
export type Auth = (typeof AUTHS)[number];

/** The function's own default of STAGE. */
export const DEFAULT_STAGE = 'dev';

/** Whether a stage serves real users. */
export function isProduction(stage: string | undefined): boolean {
  return /^prod(uction)?(-|$)/.test(stage ?? DEFAULT_STAGE);
}
