/**
 * What AWS tells about a caller that signed its request.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export interface IamCaller {
  /** The id `<role id>:<session name>` of a role's session, or the id of a user. */
  userId?: unknown;
  cognitoIdentity?: { identityId?: unknown } | null;
}

/** The name that Cognito gives to the role sessions of all identities of a pool. */
const OF_EVERY_IDENTITY = ':CognitoIdentityCredentials';

/**
 * Returns the identity of a caller: its Cognito identity, otherwise the session of its role, or its user.
 *
 * @returns undefined for a caller without an identity, and for a session whose name all identities of a Cognito pool
 *   share: a Function URL does not tell which of them calls
 */
export function identityOf(caller: IamCaller | null | undefined): string | undefined {
  const { userId, cognitoIdentity } = caller ?? {};
  const identityId = cognitoIdentity?.identityId;
  if (typeof identityId === 'string' && identityId !== '') return identityId;
  if (typeof userId !== 'string' || userId === '' || userId.endsWith(OF_EVERY_IDENTITY)) return undefined;
  return userId;
}
