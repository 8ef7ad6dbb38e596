/**
 * What AWS tells of a caller that has signed its request.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export interface IamCaller {
  /** Of a role's session `<role id>:<session name>`, of a user its id. */
  userId?: unknown;
  cognitoIdentity?: { identityId?: unknown } | null;
}

/** What Cognito calls the session of every identity of a pool. */
const OF_EVERY_IDENTITY = ':CognitoIdentityCredentials';

/**
 * Who a caller is: its Cognito identity, else the session of its role or its user.
 *
 * @returns undefined for a caller that is none, and for one whose name it shares: a Function URL does not tell which
 * identity of a Cognito pool calls
 */
export function identityOf(caller: IamCaller | null | undefined): string | undefined {
  const { userId, cognitoIdentity } = caller ?? {};
  const identityId = cognitoIdentity?.identityId;
  if (typeof identityId === 'string' && identityId !== '') return identityId;
  if (typeof userId !== 'string' || userId === '' || userId.endsWith(OF_EVERY_IDENTITY)) return undefined;
  return userId;
}
