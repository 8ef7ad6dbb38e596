import { type CredentialProvider, signRequest } from '../agentcore/signing.ts';
import type { ServiceEndpoint } from '../config.ts';
import { MemoryStore } from './memory.ts';
import type { SessionStore } from './store.ts';

export interface OpenStoreOptions {
  /** The name of the table. @default - sessions are not kept */
  sessionTable: string | undefined;
  /** The place of the table. Absent if the table is the memory of the process. */
  sessionTableEndpoint: ServiceEndpoint | undefined;
  sessionTtlSeconds: number;
  credentials: CredentialProvider;
}

/**
 * Opens the configured store, if any. The code for DynamoDB is loaded only with a table, as most functions have none.
 */
export function openStore(options: OpenStoreOptions): Promise<SessionStore> | undefined {
  const { sessionTable: tableName, sessionTableEndpoint: endpoint, sessionTtlSeconds, credentials } = options;
  if (tableName === undefined) return undefined;
  const ttlMs = sessionTtlSeconds * 1000;
  // A table of DynamoDB always has an endpoint, so this is the memory of the process.
  if (endpoint === undefined) return Promise.resolve(new MemoryStore({ ttlMs }));
  const opening = import('./dynamodb.ts').then(
    ({ DynamoDbStore }) =>
      new DynamoDbStore({ tableName, ttlMs, endpoint, sign: (request) => signRequest(request, credentials) }),
  );
  // Each answer that needs the store sees a failure to load. Until then the rejection must not end the process.
  opening.catch(() => {});
  return opening;
}
