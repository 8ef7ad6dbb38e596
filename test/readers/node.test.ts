import { describeReaders } from './reader-suite.ts';
import { ONLY_IN_BROWSERS, READERS, readInNode } from './readers.ts';

describeReaders(
  'Node.js',
  READERS.filter((reader) => !ONLY_IN_BROWSERS.has(reader)),
  () => readInNode(),
);
