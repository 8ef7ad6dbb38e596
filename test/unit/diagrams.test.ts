import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { architectureSvg } from '../../local/diagrams.ts';

test('the picture of the architecture is that of its source: npm run diagrams writes it', async () => {
  const committed = readFileSync(join(import.meta.dirname, '../../docs/architecture.svg'), 'utf8');

  expect(await architectureSvg()).toBe(committed);
});
