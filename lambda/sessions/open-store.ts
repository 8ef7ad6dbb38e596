import { type CredentialProvider, signRequest } from '../agentcore/signing.ts';
import type { ServiceEndpoint } from '../config.ts';
import { MemoryStore } from './memory.ts';
import type { SessionStore } from './store.ts';

export interface OpenStoreOptions {
  /** @default no store */
  sessionTable: string | undefined;
  /** Present for a table of DynamoDB. */
  sessionTableEndpoint: ServiceEndpoint | undefined;
  sessionTtlSeconds: number;
  credentials: CredentialProvider;
}

/** Opens the store that is configured, if there is one. Its code is loaded only then: most functions have no table. */
export function openStore(options: OpenStoreOptions): Promise<SessionStore> | undefined {
  const { sessionTable: tableName, sessionTableEndpoint: endpoint, sessionTtlSeconds, credentials } = options;
  if (tableName === undefined) return undefined;
  const ttlMs = sessionTtlSeconds * 1000;
  // A table of DynamoDB always has one.
  if (endpoint === undefined) return Promise.resolve(new MemoryStore({ ttlMs }));
  const opening = import('./dynamodb.ts').then(
    ({ DynamoDbStore }) =>
      new DynamoDbStore({ tableName, ttlMs, endpoint, sign: (request) => signRequest(request, credentials) }),
  );
  // Each answer that needs it sees the failure; until then it must not end the process.
  opening.catch(() => {});
  return opening;
}
