import type { Config } from '../config.ts';
import type { ConnectionPool } from './pool.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { CredentialProvider } from './signing.ts';

/** The parts that outlive an invocation. */
export interface Upstream {
  config: Config;
  credentials: CredentialProvider;
  pool: ConnectionPool;
  /** The budget of retries that all requests of a process share. Absent if a process has one request at a time. */
  retryBudget?: RetryBudget;
}
