import { expect, test } from '@jest/globals';
import { type IamCaller, identityOf } from '../../lambda/hosts/iam-identity.ts';

test.each<[who: string, caller: IamCaller | null | undefined, identity: string | undefined]>([
  ['nobody', undefined, undefined],
  ['a caller that did not sign', null, undefined],
  ['a user', { userId: 'AIDA1', cognitoIdentity: null }, 'AIDA1'],
  ["a role's session", { userId: 'AROA1:alice' }, 'AROA1:alice'],
  [
    'a Cognito identity',
    { userId: 'AROA1:x', cognitoIdentity: { identityId: 'us-east-1:1' } },
    'us-east-1:1',
  ],
  ['an identity of a pool that AWS does not name', { userId: 'AROA1:CognitoIdentityCredentials' }, undefined],
  ['an empty id', { userId: '' }, undefined],
  ['what is no id', { userId: 7, cognitoIdentity: { identityId: {} } }, undefined],
])('%s is told apart from everybody else, or is nobody', (_who, caller, identity) => {
  expect(identityOf(caller)).toBe(identity);
});
