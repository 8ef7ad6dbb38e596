import { project } from '../../jest.config.js';

/** What these readers need is installed where they are run: they are no project of the config of the others. */
export default { ...project('readers'), rootDir: '../..', testTimeout: 30_000 };
