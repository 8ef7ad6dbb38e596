import { DefaultStackSynthesizer, type Stack, Validations } from 'aws-cdk-lib';
import { FunctionUrlAuthType, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';
import { acknowledgeIn, acknowledgeWildcard } from './compliance.ts';
import type { Deployment } from './deployment.ts';

/** Findings that a key of the context makes or mends, with why that may be so. */
const CHOSEN = {
  CloudWatchLogGroupEncrypted:
    'kmsKeyArn was not given: CloudWatch Logs encrypts with a key of AWS, and neither prompts nor answers are in the log',
  SNSEncryptedKMS:
    'kmsKeyArn was not given: alarms may not use the key that SNS has, and a message names alarms and agents, no user',
  LambdaConcurrency:
    'reservedConcurrency was not given: callers sign with IAM, and the quota of the account bounds how many answers stream',
  LambdaFunctionPublicAccessProhibited:
    'auth=none was given: anybody may call, through the URL alone and up to reservedConcurrency at once',
} as const;

/** Parts of a stack, by what a choice may be missing in them. */
interface Parts {
  readonly logging: readonly (IConstruct | undefined)[];
  readonly topics: readonly IConstruct[];
  /** @default - no function that can have reserved concurrency */
  readonly bounded?: IConstruct;
  /** @default - no Function URL that may be public */
  readonly called?: readonly IConstruct[];
}

/**
 * Acknowledges what this deployment leaves as it is, though a key of the context would change it. The constructs do not:
 * what a stack of somebody else does without is theirs to say.
 */
export function acknowledgeChoices(
  { logging, topics, bounded, called = [] }: Parts,
  { encryptionKey, kmsKeyArn, reservedConcurrentExecutions, authType }: Deployment,
): void {
  const leave = (rule: keyof typeof CHOSEN, parts: Parts['logging']) => {
    for (const part of parts) if (part) acknowledgeIn(part, { [rule]: CHOSEN[rule] });
  };
  if (encryptionKey === undefined && kmsKeyArn === undefined) {
    leave('CloudWatchLogGroupEncrypted', logging);
    leave('SNSEncryptedKMS', topics);
  }
  if (reservedConcurrentExecutions === undefined) leave('LambdaConcurrency', [bounded]);
  if (authType === FunctionUrlAuthType.NONE) leave('LambdaFunctionPublicAccessProhibited', called);
}

/** Of the function with which the CDK copies the code. */
const OF_THE_COPY = {
  LambdaConcurrency: 'CloudFormation invokes the function, once in a deployment that has new code',
  LambdaDLQ:
    'CloudFormation invokes the function and waits for what it answers: a failure is one of the deployment',
  LambdaInsideVPC: 'the function copies an object between two buckets, which it reaches over TLS with IAM',
  LambdaDefaultMemorySize: 'the function has S3 copy the object, and holds nothing of it',
  LambdaTracing: 'a deployment runs the function, no request of a caller',
  IAMNoInlinePolicy: 'the policy belongs to the role of the CDK’s own function, and goes with it',
} as const;

const OF_ITS_LOG = {
  CloudWatchLogGroupEncrypted:
    'the log names the object that was copied, which is the code, and nothing else',
} as const;

/** Of the bucket to which it copies. */
const OF_THE_CODE = {
  S3BucketLoggingEnabled:
    'the bucket holds nothing but the code, which Lambda and the deployment alone may read: its access log would say nothing else',
  S3BucketReplicationEnabled:
    'the bucket holds a copy of what is in that of the CDK, and a deployment copies it again',
  S3DefaultEncryptionKMS:
    'S3 encrypts with its own key, and the code is no secret: nothing of a user is in it',
  S3BucketDefaultLockEnabled: 'the code goes with the stack, and its versions are kept until then',
} as const;

/**
 * Takes the findings about the bucket and the function with which the CDK brings the code to where Lambda reads it. It
 * makes them in the stack itself, where nothing of ours is a bucket, a function or a log group.
 */
export function acknowledgeCodeBucket(stack: Stack): void {
  const copies = 'the CDK copies the code with it at a deployment, from its own bucket to one of Lambda';
  const qualifier = stack.synthesizer.bootstrapQualifier ?? DefaultStackSynthesizer.DEFAULT_QUALIFIER;
  // As the CDK writes them: what a stack does not know of its environment is a reference.
  const { partition, account, region } = stack;
  const { children } = stack.node;
  const buckets = children.filter((child): child is Bucket => child instanceof Bucket);
  for (const bucket of buckets) {
    acknowledgeIn(bucket, OF_THE_CODE);
    Validations.of(bucket).acknowledge({ id: 'AwsSolutions-S1', reason: OF_THE_CODE.S3BucketLoggingEnabled });
  }
  for (const log of children.filter((child) => child instanceof LogGroup)) acknowledgeIn(log, OF_ITS_LOG);
  for (const fn of children.filter((child) => child instanceof LambdaFunction)) {
    acknowledgeIn(fn, OF_THE_COPY);
    for (const finding of [
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      'IAM5[Action::s3:Abort*]',
      'IAM5[Action::s3:DeleteObject*]',
    ]) {
      Validations.of(fn).acknowledge({ id: `AwsSolutions-${finding}`, reason: copies });
    }
    acknowledgeWildcard(fn, `arn:${partition}:s3:::cdk-${qualifier}-assets-${account}-${region}/*`, copies);
    for (const bucket of buckets) acknowledgeWildcard(fn, bucket.arnForObjects('web-function/*'), copies);
  }
}
