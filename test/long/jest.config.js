import { join } from 'node:path';
import config, { onServer, project } from '../../jest.config.js';

const rootDir = join(import.meta.dirname, '../..');

/** Files of test/integration that npm test runs on the Function URL alone. */
const ON_SERVER = [
  'agent-entry',
  'client-sessions',
  'data-plane-faults',
  'docs-agent',
  'failures',
  'http-invocation',
  'live-metrics',
  'openapi',
  'reuse',
  'runtime-sessions',
  'sessions',
  'smoke',
  'stack-status',
  'stopped-clock',
  'telemetry-log',
  'telemetry-metrics',
  'telemetry-queries',
];

/**
 * What takes a minute or more of a processor and is seldom the first to fail: CI runs it, npm test leaves it out. Most
 * of what npm test has on the Function URL, on the server as well; every pair of choices of a deployment; the drill of
 * incidents.
 */
export default {
  ...config,
  projects: [onServer(...ON_SERVER), project('long'), project('drill')].map((one) => ({ ...one, rootDir })),
};
