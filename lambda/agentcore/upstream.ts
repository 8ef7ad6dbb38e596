import type { Config } from '../config.ts';
import type { ConnectionPool } from './pool.ts';
import type { CredentialProvider } from './signing.ts';

/** What outlives an invocation. */
export interface Upstream {
  config: Config;
  credentials: CredentialProvider;
  pool: ConnectionPool;
}
