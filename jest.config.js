import { availableParallelism } from 'node:os';

const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: {
        target: 'esnext',
        parser: { syntax: 'typescript' },
        experimental: { keepImportAttributes: true },
      },
      module: { type: 'es6' },
    },
  ],
};

export const project = (displayName, options = {}) => ({
  displayName,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  modulePathIgnorePatterns: [
    '<rootDir>/dist/',
    '<rootDir>/cdk.out/',
    '<rootDir>/bench/node_modules/',
    '<rootDir>/local/lint/node_modules/',
    '<rootDir>/packages/api/node_modules/',
    '<rootDir>/test/readers/node_modules/',
    '<rootDir>/test/kits/node_modules/',
    '<rootDir>/test/frameworks/node_modules/',
    '<rootDir>/test/mutation/',
  ],
  ...options,
});

/** Loaded once a worker and not once a test file; test/fixtures/native-module.cjs says why. */
const CDK = '/node_modules/(aws-cdk-lib|cdk-nag|constructs)/.*\\.js$';

const infra = project('infra', {
  testEnvironment: '<rootDir>/test/fixtures/native-environment.cjs',
  transform: { [CDK]: '<rootDir>/test/fixtures/native-module.cjs', ...transform },
  transformIgnorePatterns: [],
});

/**
 * Integration and browser tests mostly wait: one worker more than cores. In one process for all, the default on two
 * cores, the modules of every file stay in memory, and its collections outlast the limits that the tests shorten.
 */
const WORKERS = { maxWorkers: availableParallelism() + 1, workerIdleMemoryLimit: '512MB' };

/**
 * A suite that needs packages of its own, which are heavy, and installed in its folder of test/ only where it runs: the
 * whole config of a command, and no project of the one below.
 */
export const suite = (name, options = {}) => ({
  ...project(name),
  rootDir: import.meta.dirname,
  testTimeout: 60_000,
  ...WORKERS,
  ...options,
});

/** Files of test/integration, run on the server. */
export const onServer = (...names) =>
  project('server', {
    setupFiles: ['<rootDir>/test/fixtures/on-server.ts'],
    testMatch: names.map((name) => `<rootDir>/test/integration/${name}.test.ts`),
  });

/** What callers rely on is the same on every host: routes, bytes and security. The rest follows in test/long. */
const ON_EVERY_HOST = ['http-routes', 'http-transport', 'kit-routes', 'security-answer', 'security-request'];

/** Unit and infra tests need nothing built; integration and browser tests run dist/lambda and dist/server, the folders that are deployed. */
export default {
  projects: [project('unit'), infra, project('integration'), onServer(...ON_EVERY_HOST), project('browser')],
  testTimeout: 30_000,
  ...WORKERS,
};
