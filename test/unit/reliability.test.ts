import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { FAULT_MATRIX } from '../fixtures/fault-matrix.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/reliability.md'), 'utf8');
const [written = ''] = document.split('<!-- end of the table -->');
const rows = written
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.slice(2, -2).split(' | '));

test('docs/reliability.md has a row for every case of the fault matrix, and no other', () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(FAULT_MATRIX));
});

test.each(Object.entries(FAULT_MATRIX))('what is written of "%s" is what is asserted', (name, row) => {
  const [, json, sse, code, retryable, promptSent, text = ''] = rows.find(([first]) => first === name) ?? [];
  const isComplete = row.code === 'complete';

  expect(code).toBe(row.code);
  expect(retryable).toBe(isComplete ? '' : row.retryAfter === undefined ? 'no' : 'yes');
  expect(promptSent).toBe(isComplete ? '' : row.promptSent ? 'yes' : 'no');
  if (row.caller === 'goes away') {
    expect([json, sse, text]).toEqual(['(gone)', '(gone)', '']);
  } else if (row.text === undefined) {
    expect([json, sse]).toEqual([`status ${row.status}`, `status ${row.status}`]);
    expect(text).toBe('');
  } else {
    expect([json, sse]).toEqual(isComplete ? ['200', '200'] : ['200, `incomplete`', '200, `error` event']);
    if (typeof row.text === 'string' && row.text.length <= 40) expect(text).toBe(`\`${row.text}\``);
  }
});
