import { DefaultStackSynthesizer, type Stack, Validations } from 'aws-cdk-lib';
import { FunctionUrlAuthType, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';
import { acknowledgeIn, acknowledgeWildcard } from './compliance.ts';
import type { Deployment } from './deployment.ts';

/** Findings that depend on a key of the context, each with the reason why the key's value is acceptable. */
const CHOSEN = {
  CloudWatchLogGroupEncrypted:
    'kmsKeyArn is not given: CloudWatch Logs encrypts with a key of AWS, and the log contains neither prompts nor answers',
  SNSEncryptedKMS:
    'kmsKeyArn is not given: alarms may not use the key of SNS, and a message names alarms and agents but no user',
  LambdaConcurrency:
    'reservedConcurrency is not given: callers sign with IAM, and the quota of the account limits how many answers stream',
  LambdaFunctionPublicAccessProhibited:
    'auth=none is given: anybody may call, but only through the URL and up to reservedConcurrency at once',
} as const;

/** The parts of a stack, grouped by the findings that they may have. */
interface Parts {
  /** Parts with a log group, which may lack a KMS key of the owner. */
  readonly logging: readonly (IConstruct | undefined)[];
  /** Topics, which may lack a KMS key of the owner. */
  readonly topics: readonly IConstruct[];
  /** The function that may lack reserved concurrency. @default - no function can have reserved concurrency */
  readonly bounded?: IConstruct;
  /** The parts that have a Function URL, which may be public. @default - no part has a Function URL */
  readonly called?: readonly IConstruct[];
}

/**
 * Acknowledges the findings that this deployment accepts, although a key of the context would remove them. The
 * constructs do not acknowledge them: the owner of another stack decides what that stack accepts.
 */
export function acknowledgeChoices(
  { logging, topics, bounded, called = [] }: Parts,
  { encryptionKey, kmsKeyArn, reservedConcurrentExecutions, authType }: Deployment,
): void {
  const accept = (rule: keyof typeof CHOSEN, parts: Parts['logging']) => {
    for (const part of parts) if (part) acknowledgeIn(part, { [rule]: CHOSEN[rule] });
  };
  if (encryptionKey === undefined && kmsKeyArn === undefined) {
    accept('CloudWatchLogGroupEncrypted', logging);
    accept('SNSEncryptedKMS', topics);
  }
  if (reservedConcurrentExecutions === undefined) accept('LambdaConcurrency', [bounded]);
  if (authType === FunctionUrlAuthType.NONE) accept('LambdaFunctionPublicAccessProhibited', called);
}

/** The accepted findings about the function that the CDK uses to copy the code. */
const OF_THE_COPY = {
  LambdaConcurrency: 'CloudFormation invokes the function once in a deployment that has new code',
  LambdaDLQ:
    'CloudFormation invokes the function and waits for its answer, so that a failure fails the deployment',
  LambdaInsideVPC: 'the function copies an object between two buckets, which it reaches over TLS with IAM',
  LambdaDefaultMemorySize: 'the function makes S3 copy the object, and holds nothing of it in memory',
  LambdaTracing: 'a deployment runs the function, and no request of a caller does',
  IAMNoInlinePolicy: 'the policy belongs to the role of the CDK’s own function, and goes with it',
} as const;

/** The accepted finding about that function's log group. */
const OF_ITS_LOG = {
  CloudWatchLogGroupEncrypted: 'the log names only the copied object, which is the code',
} as const;

/** The accepted findings about the bucket that the function copies the code to. */
const OF_THE_CODE = {
  S3BucketLoggingEnabled:
    'the bucket holds only the code, which only Lambda and the deployment may read: an access log would tell nothing new',
  S3BucketReplicationEnabled:
    'the bucket holds a copy of code in the CDK’s own bucket, and a deployment copies it again',
  S3DefaultEncryptionKMS:
    'S3 encrypts with its own key, and the code is no secret: it contains no data of users',
  S3BucketDefaultLockEnabled: 'the code is deleted with the stack, and its versions are kept until then',
} as const;

/**
 * Acknowledges the findings about the bucket and the function that the CDK makes to copy the code to where Lambda reads
 * it. They are the only bucket, function and log group directly in the stack: our own are inside constructs.
 */
export function acknowledgeCodeBucket(stack: Stack): void {
  const copies = 'at a deployment the CDK uses it to copy the code from its own bucket to one of Lambda';
  const qualifier = stack.synthesizer.bootstrapQualifier ?? DefaultStackSynthesizer.DEFAULT_QUALIFIER;
  // The ARNs are written as the CDK writes them: a value of the environment that the stack does not know is a
  // reference.
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
