import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { ENV } from '../lambda/contract.ts';
import { acknowledge } from './compliance.ts';

/** What a deployment does with sessions, beside answering in them. */
export interface SessionProps {
  /**
   * `dynamodb` makes a table in which sessions and the events of their answers are kept: one answer of a session at a
   * time, stop, and answers that are read again.
   *
   * @default - sessions are not kept
   */
  readonly sessions?: 'dynamodb';
  /**
   * A table of one's own in its place, with the string keys `pk` and `sk` and the TTL attribute `expiresAt`.
   *
   * @default - that of `sessions`, if there is one
   */
  readonly sessionTable?: dynamodb.ITable;
  /** What happens to the table when the construct is removed. @default - it is deleted */
  readonly sessionRemovalPolicy?: RemovalPolicy;
  /** `iam`: a session belongs to the IAM identity that began it. @default - to everybody who knows its id */
  readonly sessionBinding?: 'none' | 'iam';
  /** `iam`: AgentCore and the agent are told the caller's IAM identity. @default - they are not */
  readonly userId?: 'none' | 'iam';
  /**
   * Whether callers may start a session before its first prompt, which costs until it idles out.
   *
   * @default - where they sign with IAM; with authType NONE they may not
   */
  readonly warmSessions?: boolean;
}

/** The actions that the function uses on its table, and no other. */
const TABLE_ACTIONS = ['GetItem', 'Query', 'UpdateItem', 'BatchWriteItem'];

/** @throws Error naming what needs an identity where nobody has one, or a second table */
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

/** The table of sessions that a deployment asks for, which the role may use. */
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
        reason: 'what DynamoDB does with the one key of the table for whoever uses the table',
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
    reason: 'what is in it expires within hours, so that there is nothing to go back to',
  });
  acknowledge(table, 'DynamoDBInBackupPlan', 'DynamoDBPITREnabled');
  return table as dynamodb.ITable;
}

/** What the function is told of sessions: of all only what differs from its defaults. */
export function sessionEnvironment(
  { sessionBinding, userId, warmSessions }: SessionProps,
  table: dynamodb.ITable | undefined,
  authType: FunctionUrlAuthType,
): Record<string, string> {
  const isWarmed = warmSessions ?? authType !== FunctionUrlAuthType.NONE;
  return {
    ...(table && { [ENV.SESSION_TABLE]: table.tableName }),
    ...(sessionBinding === 'iam' && { [ENV.SESSION_BINDING]: sessionBinding }),
    ...(userId === 'iam' && { [ENV.USER_ID]: userId }),
    ...(!isWarmed && { [ENV.WARM_SESSIONS]: 'false' }),
  };
}
