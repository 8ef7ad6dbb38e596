import { Validations } from 'aws-cdk-lib';
import type { IAlarmRef } from 'aws-cdk-lib/aws-cloudwatch';
import * as codedeploy from 'aws-cdk-lib/aws-codedeploy';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcard } from './compliance.ts';
import { ReleaseCheck } from './release-check.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

/** Each lasts for as long as an alarm of two periods of 5 minutes needs to see what goes wrong. */
const CONFIGS = {
  'all-at-once': codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
  canary: codedeploy.LambdaDeploymentConfig.CANARY_10PERCENT_15MINUTES,
  linear: codedeploy.LambdaDeploymentConfig.LINEAR_10PERCENT_EVERY_2MINUTES,
} as const;

/** @see https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html */
const MAX_ALARMS = 10;

/** How traffic goes over to a new version. */
export type ReleaseStrategy = keyof typeof CONFIGS;

/** The names of the strategies, by themselves. */
export const RELEASE_STRATEGIES = Object.fromEntries(
  Object.keys(CONFIGS).map((name) => [name, name]),
) as Readonly<Record<string, ReleaseStrategy>>;

export interface AgentStreamReleaseProps {
  /** What is released. */
  readonly stream: AgentStreamFunction;
  /**
   * `canary`: a tenth of the traffic for 15 minutes, then all of it. `linear`: a further tenth every two minutes.
   * `all-at-once`: all of it.
   */
  readonly strategy: ReleaseStrategy;
  /**
   * Each of them stops a release that is under way and takes the traffic back: alarms of metrics, no composite ones. Of
   * more than CodeDeploy takes, which is 10, the first ones count.
   */
  readonly alarms?: readonly IAlarmRef[];
}

/**
 * Lets CodeDeploy move the traffic of a function to each new version, and back where an alarm goes off or the check
 * after the release fails.
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
      reason: 'the policy that AWS keeps for CodeDeploy and Lambda, in its limited form',
    });
  }
}
