import { project } from '../../jest.config.js';
import { ROOMS } from './rooms.ts';

const { displayName, ...unit } = project('unit');
const { tests } = ROOMS[process.env.MUTATION_ROOM];

/** The unit tests of a room, as one project: Stryker puts its own environment around the one of a project. */
export default {
  ...unit,
  rootDir: '../..',
  // Jest looks for files anew for each mutant, and needs no others.
  roots: ['<rootDir>/lambda', '<rootDir>/test/unit', '<rootDir>/test/fixtures'],
  testMatch: tests.map((name) => `<rootDir>/test/unit/${name}{,.property}.test.ts`),
};
