import { project } from '../../jest.config.js';

const { displayName, ...unit } = project('unit');

/** The unit tests of a room, as one project: Stryker puts its own environment around the one of a project. */
export default {
  ...unit,
  rootDir: '../..',
  // Jest looks for files anew for each mutant, and needs no others.
  roots: ['<rootDir>/lambda', '<rootDir>/test/unit', '<rootDir>/test/fixtures', '<rootDir>/test/mutation'],
  modulePathIgnorePatterns: ['<rootDir>/test/mutation/node_modules/'],
  testMatch: ['<rootDir>/test/mutation/room.test.ts'],
};
