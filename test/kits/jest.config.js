import { project } from '../../jest.config.js';

/** The kits are heavy, and installed only where these tests run: they are no project of the config of the others. */
export default {
  ...project('kits'),
  rootDir: '../..',
  // Of files that stand outside: examples have no packages installed here.
  moduleNameMapper: { '^aws4fetch$': '<rootDir>/test/kits/node_modules/aws4fetch' },
  testTimeout: 60_000,
};
