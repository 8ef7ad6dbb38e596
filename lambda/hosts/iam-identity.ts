/**
 * What AWS tells about a caller that signed its request.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export interface IamCaller {
  /** For the session of a role `<role id>:<session name>`, for a user the user's id. */
  userId?: unknown;
  cognitoIdentity?: { identityId?: unknown } | null;
}

/** The name that Cognito gives to the role sessions of all identities of a pool. */
const OF_EVERY_IDENTITY = ':CognitoIdentityCredentials';

/**
 * Returns the identity of a caller: its Cognito identity, otherwise the session of its role, or its user.
 *
 * @returns undefined without an identity, and for an identity of a Cognito pool whose session has the shared name: a
 *   Function URL does not tell which identity of the pool calls
 */
export function identityOf(caller: IamCaller | null | undefined): string | undefined {
  const { userId, cognitoIdentity } = caller ?? {};
  const identityId = cognitoIdentity?.identityId;
  if (typeof identityId === 'string' && identityId !== '') return identityId;
  if (typeof userId !== 'string' || userId === '' || userId.endsWith(OF_EVERY_IDENTITY)) return undefined;
  return userId;
}
