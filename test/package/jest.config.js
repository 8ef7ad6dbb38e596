import config from '../../jest.config.js';

const [{ displayName: _unit, testMatch: _tests, ...project }] = config.projects;

/** The packages, installed into fresh apps from their tarballs: it takes minutes, so npm test leaves it out. */
export default {
  ...project,
  rootDir: '../..',
  displayName: 'package',
  testMatch: ['<rootDir>/test/package/**/*.test.ts'],
  testTimeout: 600_000,
  maxWorkers: 1,
};
