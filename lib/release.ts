import { Validations } from 'aws-cdk-lib';
import type { IAlarmRef } from 'aws-cdk-lib/aws-cloudwatch';
import * as codedeploy from 'aws-cdk-lib/aws-codedeploy';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcard } from './compliance.ts';
import { ReleaseCheck } from './release-check.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

/** A canary or linear release lasts long enough for an alarm over periods of 5 minutes to notice a failure. */
const CONFIGS = {
  'all-at-once': codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
  canary: codedeploy.LambdaDeploymentConfig.CANARY_10PERCENT_15MINUTES,
  linear: codedeploy.LambdaDeploymentConfig.LINEAR_10PERCENT_EVERY_2MINUTES,
} as const;

/**
 * The most alarms that CodeDeploy takes.
 *
 * The most alarms that CodeDeploy takes. @see https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
 */
const MAX_ALARMS = 10;

/** How traffic moves to a new version. */
export type ReleaseStrategy = keyof typeof CONFIGS;

/** The strategies by their names, as a table of choices. */
export const RELEASE_STRATEGIES = Object.fromEntries(
  Object.keys(CONFIGS).map((name) => [name, name]),
) as Readonly<Record<string, ReleaseStrategy>>;

export interface AgentStreamReleaseProps {
  /** The function whose versions are released. */
  readonly stream: AgentStreamFunction;
  /**
   * `canary`: a tenth of the traffic for 15 minutes, then all of it. `linear`: a further tenth every two minutes.
   * `all-at-once`: all of it.
   */
  readonly strategy: ReleaseStrategy;
  /**
   * The alarms that stop a running release and move the traffic back. They must be alarms of metrics, not composite
   * ones. CodeDeploy takes 10 alarms, so only the first 10 count.
   */
  readonly alarms?: readonly IAlarmRef[];
}

/**
 * Lets CodeDeploy move the traffic of a function to each new version. It moves the traffic back if an alarm goes off or
 * the check after the release fails.
 *
 * @see https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-lambda.html
 */
export class AgentStreamRelease extends Construct {
  readonly deploymentGroup: codedeploy.LambdaDeploymentGroup;

  constructor(scope: Construct, id: string, { stream, strategy, alarms = [] }: AgentStreamReleaseProps) {
    super(scope, id);
    const check = new ReleaseCheck(this, 'Check', { stream });
    this.deploymentGroup = new codedeploy.LambdaDeploymentGroup(this, 'Group', {
      alias: stream.alias,
      deploymentConfig: CONFIGS[strategy],
      alarms: alarms.slice(0, MAX_ALARMS),
      postHook: check.function,
      autoRollback: {
        failedDeployment: true,
        stoppedDeployment: true,
        ...(alarms.length > 0 && { deploymentInAlarm: true }),
      },
    });
    const { role } = this.deploymentGroup;
    acknowledge(role, 'IAMNoInlinePolicy');
    acknowledgeWildcard(
      role,
      `${check.function.functionArn}:*`,
      'CodeDeploy may invoke the one check of the release, in any of its versions',
    );
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
      reason: 'AWS maintains this policy for CodeDeploy with Lambda, and it is the limited form',
    });
  }
}
