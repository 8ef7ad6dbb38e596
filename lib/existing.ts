import { type IRole, Role } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { type ILogGroup, LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { arnOf } from './ssm-arn.ts';

/** Existing resources that a deployment uses, by name, by ARN or by `ssm:/name` of the parameter that holds the ARN. */
export interface ExistingResources {
  /** ARN of the key that encrypts logs, alarm topic and environment. @default - keys of AWS */
  readonly kmsKeyArn?: string;
  /** ARN of the role that the function runs as. Missing permissions are added to it. @default - a role is made */
  readonly roleArn?: string;
  /** Name of the log group that the function writes to. @default - a log group is made */
  readonly logGroupName?: string;
}

export interface ExistingConstructs {
  readonly encryptionKey?: IKey;
  readonly role?: IRole;
  readonly logGroup?: ILogGroup;
}

/** Imports the resources as constructs of the scope, under the names of the function's props. */
export function importExisting(
  scope: Construct,
  { kmsKeyArn, roleArn, logGroupName }: ExistingResources,
): ExistingConstructs {
  return {
    ...(kmsKeyArn !== undefined && {
      encryptionKey: Key.fromKeyArn(scope, 'GivenKey', arnOf(scope, 'kmsKeyArn', kmsKeyArn)),
    }),
    ...(roleArn !== undefined && {
      role: Role.fromRoleArn(scope, 'GivenRole', arnOf(scope, 'roleArn', roleArn)),
    }),
    ...(logGroupName !== undefined && {
      logGroup: LogGroup.fromLogGroupName(scope, 'GivenLogGroup', logGroupName),
    }),
  };
}
