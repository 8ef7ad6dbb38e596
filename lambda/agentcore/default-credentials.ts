import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { CredentialProvider } from './signing.ts';

/** The AWS SDK's default chain; it caches, and refreshes before expiry. */
export function defaultCredentials(): CredentialProvider {
  return defaultProvider();
}
