import type { Credentials } from '../config.ts';
import type { CredentialProvider } from './signing.ts';

/**
 * The function's credentials: those of its environment, which is what Lambda gives, or else whatever the AWS SDK
 * finds (a profile, SSO, a container role), which is what a developer has. The latter is loaded only then: it
 * would triple the cold start.
 */
export function credentialProvider(fromEnvironment: Credentials | undefined): CredentialProvider {
  if (fromEnvironment) return () => Promise.resolve(fromEnvironment);
  let chain: Promise<CredentialProvider> | undefined;
  return async () => {
    chain ??= import('./default-credentials.ts').then(({ defaultCredentials }) => defaultCredentials());
    return (await chain)();
  };
}
