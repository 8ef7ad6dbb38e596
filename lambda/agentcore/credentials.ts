import type { Credentials } from '../config.ts';
import type { CredentialProvider } from './signing.ts';

/**
 * Returns the function's credentials. Lambda puts them into the environment. Without them, for example on a developer's
 * machine, the AWS SDK looks for a profile, SSO or a container role. The SDK's code is loaded only then, because it
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
