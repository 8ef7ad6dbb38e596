import type { Duration } from 'aws-cdk-lib';
import type { DomainProps } from './distribution-checks.ts';
import type { ExistingResources } from './existing.ts';
import type { AgentStreamFunctionProps } from './function-props.ts';
import type { ReleaseStrategy } from './release.ts';
import type { WebEndpointProps } from './web-function-props.ts';

/** What a deployment is told: the CDK context of `bin/app.ts`, or the props of somebody else's app. */
export interface Deployment
  extends AgentStreamFunctionProps,
    ExistingResources,
    DomainProps,
    WebEndpointProps {
  /**
   * What it runs on: Lambda behind a Function URL, one answer an environment, or a Lambda Web Function, many.
   *
   * @default "function-url"
   */
  readonly host?: 'function-url' | 'web';
  /**
   * Tells deployments apart; `prod` and `production`, also with a suffix as in `prod-eu`, are production: its logs
   * are kept for a year and outlive the stack, and every alarm notifies.
   *
   * @default - "dev": logs go with the stack, and alarms notify only that users are affected
   */
  readonly stage?: string;
  /** Gets the alarms by e-mail, after confirming. @default - no e-mail */
  readonly alarmEmail?: string;
  /**
   * ARN of an SNS topic of the same region that gets the alarms, or `ssm:/name` of the parameter with it; CloudWatch must
   * be allowed to publish to it.
   *
   * @default - no topic
   */
  readonly alarmTopicArn?: string;
  /**
   * How often each agent is asked whether it answers, from 1 minute to 1 hour. Every time its model and a session are paid
   * for: at 5 minutes 8,640 answers a month and agent. Not on a Web Function.
   *
   * @default - only users ask
   */
  readonly probe?: Duration;
  /** Address where docs/runbook.md is read. @default - alarms and dashboard name the file and the anchor */
  readonly runbookUrl?: string;
  /** From when on a first chunk is slow where no microVM had to be started. @default - 2 s */
  readonly slowFirstChunk?: Duration;
  /**
   * How traffic goes over to a new version by CodeDeploy, which takes it back where an alarm goes off or the check
   * after the release fails.
   *
   * @default - at once, without CodeDeploy
   */
  readonly deployment?: ReleaseStrategy;
  /** From when on the first chunk of any request is slow, new sessions included. @default - 10 s */
  readonly slowStart?: Duration;
  /** From when on opening a connection to AgentCore is slow, the start of a session included. @default - 5 s */
  readonly slowConnection?: Duration;
  /**
   * Whether CloudFront stands in front, with one domain for page and agents; the function itself is then closed to
   * everybody else but IAM callers.
   *
   * @default false
   */
  readonly distribution?: boolean;
  /** Name of the bucket of your own page, on the domain of the distribution. @default - no page */
  readonly pageBucketName?: string;
  /** Whether the stack can only be deleted after this is taken off. @default - in production */
  readonly terminationProtection?: boolean;
  /** Of every resource of the stack that takes tags. @default - none */
  readonly tags?: { [key: string]: string };
}
