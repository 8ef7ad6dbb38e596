import { project } from '../../jest.config.js';

/** The frameworks are heavy, and installed only where these tests run: they are no project of the config of the others. */
export default { ...project('frameworks'), rootDir: '../..', testTimeout: 60_000 };
