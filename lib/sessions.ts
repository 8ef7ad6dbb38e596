import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { ENV } from '../lambda/contract.ts';
import { acknowledge } from './compliance.ts';

/** How a deployment keeps sessions, and who may use them. */
export interface SessionProps {
  /**
   * `dynamodb` makes a table that keeps sessions and the events of their answers. With a table, a session gives one
   * answer at a time, an answer can be stopped, and an answer can be read again.
   *
   * @default - sessions are not kept
   */
  readonly sessions?: 'dynamodb';
  /**
   * An existing table to use instead. It must have the string keys `pk` and `sk` and the TTL attribute `expiresAt`.
   *
   * @default - the table that `sessions` makes, if any
   */
  readonly sessionTable?: dynamodb.ITable;
  /** What happens to the table when the construct is removed. @default - it is deleted */
  readonly sessionRemovalPolicy?: RemovalPolicy;
  /**
   * `iam`: a session belongs to the IAM identity that began it.
   *
   * @default - a session belongs to everybody who knows its id
   */
  readonly sessionBinding?: 'none' | 'iam';
  /** `iam`: AgentCore and the agent are told the caller's IAM identity. @default - they are not told */
  readonly userId?: 'none' | 'iam';
  /**
   * Whether callers may start a session before its first prompt. Such a session costs until it idles out.
   *
   * @default - callers that sign with IAM may; with authType NONE callers may not
   */
  readonly warmSessions?: boolean;
}

/** The only actions that the function uses on its table. */
const TABLE_ACTIONS = ['GetItem', 'Query', 'UpdateItem', 'BatchWriteItem'];

/** @throws Error when two tables are given, or when an option needs the identity of callers that have none */
export function checkSessions(props: SessionProps, authType: FunctionUrlAuthType): void {
  const { sessions, sessionTable, sessionBinding, userId } = props;
  if (sessions !== undefined && sessionTable !== undefined) {
    throw new Error('sessions and sessionTable are two tables: give one of them');
  }
  if (authType !== FunctionUrlAuthType.NONE) return;
  for (const [name, value] of Object.entries({ sessionBinding, userId })) {
    if (value === 'iam') {
      throw new Error(`${name}: expected none with authType NONE, whose callers have no identity, got iam`);
    }
  }
}

/** Returns the table of sessions that a deployment asks for, if any, and lets the role use it. */
export function sessionTableOf(
  scope: Construct,
  role: IRole,
  props: SessionProps & { readonly encryptionKey?: IKey },
): dynamodb.ITable | undefined {
  const table = props.sessionTable ?? (props.sessions === 'dynamodb' ? makeTable(scope, props) : undefined);
  table?.grant(role, ...TABLE_ACTIONS.map((action) => `dynamodb:${action}`));
  if (table?.encryptionKey) {
    table.encryptionKey.grantEncryptDecrypt(role);
    for (const action of ['kms:GenerateDataKey*', 'kms:ReEncrypt*']) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Action::${action}]`,
        reason: 'DynamoDB uses the one key of the table in this way on behalf of the table’s user',
      });
    }
  }
  return table;
}

function makeTable(
  scope: Construct,
  {
    encryptionKey,
    sessionRemovalPolicy = RemovalPolicy.DESTROY,
  }: SessionProps & { readonly encryptionKey?: IKey },
): dynamodb.ITable {
  const table = new dynamodb.Table(scope, 'Sessions', {
    partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
    sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
    timeToLiveAttribute: 'expiresAt',
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    removalPolicy: sessionRemovalPolicy,
    ...(encryptionKey && { encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
  });
  Validations.of(table).acknowledge({
    id: 'AwsSolutions-DDB3',
    reason: 'the rows of the table expire within hours, so that there is nothing to restore',
  });
  acknowledge(table, 'DynamoDBInBackupPlan', 'DynamoDBPITREnabled');
  return table as dynamodb.ITable;
}

/** Returns the environment variables about sessions; those that equal the function's defaults are left out. */
export function sessionEnvironment(
  { sessionBinding, userId, warmSessions }: SessionProps,
  table: dynamodb.ITable | undefined,
  authType: FunctionUrlAuthType,
): Record<string, string> {
  const mayWarm = warmSessions ?? authType !== FunctionUrlAuthType.NONE;
  return {
    ...(table && { [ENV.SESSION_TABLE]: table.tableName }),
    ...(sessionBinding === 'iam' && { [ENV.SESSION_BINDING]: sessionBinding }),
    ...(userId === 'iam' && { [ENV.USER_ID]: userId }),
    ...(!mayWarm && { [ENV.WARM_SESSIONS]: 'false' }),
  };
}
