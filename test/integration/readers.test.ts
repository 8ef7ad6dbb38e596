import { describeReaders } from '../fixtures/reader-suite.ts';
import { HEAVY, ONLY_IN_BROWSERS, READERS, readInNode } from '../fixtures/readers.ts';

describeReaders(
  'Node.js',
  READERS.filter((reader) => !HEAVY.has(reader) && !ONLY_IN_BROWSERS.has(reader)),
  readInNode,
);
