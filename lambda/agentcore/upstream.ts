import type { Config } from '../config.ts';
import type { ConnectionPool } from './pool.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { CredentialProvider } from './signing.ts';

/** What outlives an invocation. */
export interface Upstream {
  config: Config;
  credentials: CredentialProvider;
  pool: ConnectionPool;
  /** What all requests of a process may retry together; absent where a process has one at a time. */
  retryBudget?: RetryBudget;
}
