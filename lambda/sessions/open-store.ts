import type { CredentialProvider } from '../agentcore/signing.ts';
import { MEMORY_TABLE } from '../contract.ts';
import { MemoryStore } from './memory.ts';
import type { SessionStore } from './store.ts';

export interface OpenStoreOptions {
  /** @default no store */
  sessionTable: string | undefined;
  sessionTtlSeconds: number;
  credentials: CredentialProvider;
}

/**
 * Opens the store that is configured, if there is one. The AWS SDK begins to load at once, beside everything else, and
 * only then: most functions have no table.
 */
export function openStore(options: OpenStoreOptions): Promise<SessionStore> | undefined {
  const { sessionTable: tableName, sessionTtlSeconds, credentials } = options;
  if (tableName === undefined) return undefined;
  const ttlMs = sessionTtlSeconds * 1000;
  if (tableName === MEMORY_TABLE) return Promise.resolve(new MemoryStore({ ttlMs }));
  const opening = import('./dynamodb.ts').then(
    ({ DynamoDbStore }) => new DynamoDbStore({ tableName, ttlMs, credentials }),
  );
  // Each answer that needs it sees the failure; until then it must not end the process.
  opening.catch(() => {});
  return opening;
}
