import { suite } from '../../jest.config.js';

export default suite('kits', {
  // Of files that stand outside: examples have no packages installed here.
  moduleNameMapper: { '^aws4fetch$': '<rootDir>/test/kits/node_modules/aws4fetch' },
});
