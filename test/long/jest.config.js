import { join } from 'node:path';
import config, { onServer, project } from '../../jest.config.js';

const rootDir = join(import.meta.dirname, '../..');

/**
 * What takes a minute or more of a processor and is seldom the first to fail: CI runs it, npm test leaves it out. The
 * matrix of failures and the sessions on the server, which npm test has on the Function URL, and the drill of incidents.
 */
export default {
  ...config,
  projects: [onServer('failures', 'sessions', 'client-sessions'), project('drill')].map((one) => ({
    ...one,
    rootDir,
  })),
};
