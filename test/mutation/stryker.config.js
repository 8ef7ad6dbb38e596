import { ROOMS } from './rooms.ts';

const room = process.env.MUTATION_ROOM;

/** One room, mutated in a copy of the project. @see https://stryker-mutator.io/docs/stryker-js/configuration */
export default {
  mutate: ROOMS[room].mutate,
  testRunner: 'jest',
  plugins: ['@stryker-mutator/jest-runner'],
  jest: { configFile: 'test/mutation/jest.config.js', enableFindRelatedTests: false },
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  coverageAnalysis: 'perTest',
  // What runs once when a module loads, a table or a pattern, would need all tests for each of its mutants.
  ignoreStatic: true,
  concurrency: Number(process.env.MUTATION_WORKERS ?? 2),
  timeoutMS: 5000,
  tempDirName: 'test/mutation/.sandbox',
  // TypeScript 7 has no API by which Stryker could rewrite tsconfig.json, and the tests run without it.
  ignorePatterns: [
    'tsconfig.json',
    'dist',
    'cdk.out',
    'bench',
    'bin',
    'client',
    'docs',
    'examples',
    'lib',
    'packages',
    'test/browser',
    'test/frameworks',
    'test/infra',
    'test/integration',
    'test/kits',
    'test/long',
    'test/package',
    'test/readers',
  ],
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  clearTextReporter: { logTests: false, allowColor: false, reportTests: false },
  htmlReporter: { fileName: `test/mutation/report/${room}.html` },
  jsonReporter: { fileName: `test/mutation/report/${room}.json` },
};
