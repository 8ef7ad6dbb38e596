import type { Duration } from 'aws-cdk-lib';
import type { DomainProps } from './distribution-checks.ts';
import type { ExistingResources } from './existing.ts';
import type { AgentStreamFunctionProps } from './function-props.ts';
import type { ReleaseStrategy } from './release.ts';
import type { WebEndpointProps } from './web-function-props.ts';

/** The options of a deployment, from the CDK context of `bin/app.ts` or from the props of another app. */
export interface Deployment
  extends AgentStreamFunctionProps,
    ExistingResources,
    DomainProps,
    WebEndpointProps {
  /**
   * The host. A Lambda function behind a Function URL streams one answer per environment, a Lambda Web Function many.
   *
   * @default "function-url"
   */
  readonly host?: 'function-url' | 'web';
  /**
   * The name that tells deployments apart. `prod` and `production`, also with a suffix as in `prod-eu`, are production:
   * logs are kept for a year and outlive the stack, and slower or thinly failing answers notify, too.
   *
   * @default - "dev": logs are deleted with the stack, and alarms notify only when users are affected
   */
  readonly stage?: string;
  /** The e-mail address that receives the alarms once it is confirmed. @default - no e-mail */
  readonly alarmEmail?: string;
  /**
   * ARN of an SNS topic of the same region that receives the alarms, or `ssm:/name` of the parameter that holds the
   * ARN. CloudWatch must be allowed to publish to the topic.
   *
   * @default - no topic
   */
  readonly alarmTopicArn?: string;
  /**
   * How often the probe asks each agent whether it answers, from 1 minute to 1 hour. Every run costs a session and a
   * call of the agent's model: at 5 minutes each agent answers 8,640 times a month. A Web Function has no probe.
   *
   * @default - no probe
   */
  readonly probe?: Duration;
  /** The address where docs/runbook.md is read. @default - alarms and dashboard name the file and the anchor */
  readonly runbookUrl?: string;
  /** The limit above which a first chunk counts as slow when no microVM had to be started. @default - 2 s */
  readonly slowFirstChunk?: Duration;
  /**
   * How CodeDeploy moves traffic to a new version. It moves the traffic back if an alarm goes off or the check after
   * the release fails.
   *
   * @default - traffic moves at once, without CodeDeploy
   */
  readonly deployment?: ReleaseStrategy;
  /** The limit above which the first chunk of any request counts as slow, new sessions included. @default - 10 s */
  readonly slowStart?: Duration;
  /**
   * The limit above which opening a connection to AgentCore counts as slow, the start of a session included.
   *
   * @default - 5 s
   */
  readonly slowConnection?: Duration;
  /**
   * Whether CloudFront stands in front, with one domain for page and agents. The function itself then accepts only
   * CloudFront and IAM callers.
   *
   * @default false
   */
  readonly distribution?: boolean;
  /** The name of the bucket with your own page, which the distribution serves on its domain. @default - no page */
  readonly pageBucketName?: string;
  /** Whether the stack is protected from deletion until this is turned off. @default - true in production */
  readonly terminationProtection?: boolean;
  /** The tags of every resource of the stack that takes tags. @default - none */
  readonly tags?: { [key: string]: string };
}
