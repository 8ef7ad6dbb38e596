import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../lambda/contract.ts';
import { StreamError } from '../../lambda/errors.ts';
import { ONLY_IN_BROWSERS, READERS, READERS_THAT_RECONNECT } from '../fixtures/readers.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('docs/errors.md has an article for every code, and for no other, with the status that is sent', () => {
  const errors = read('docs/errors.md');
  const articles = [...errors.matchAll(/^## (\w+)$/gm)].map(([, code]) => code);

  expect(articles.toSorted()).toEqual([...ERROR_CODES].toSorted());
  for (const code of ERROR_CODES) {
    const { status } = new StreamError(code, 'x');
    const shown = code === 'ResponseTooLarge' ? 'in-band' : String(status);
    expect(errors).toContain(`| [${code}](#${code.toLowerCase()}) | ${shown} |`);
  }
});

test('every article says causes, what the caller and what the operator should do', () => {
  for (const article of read('docs/errors.md').split(/^## /m).slice(1)) {
    for (const part of ['- Causes:', '- Caller: ', '- Operator: ']) expect(article).toContain(part);
  }
});

test('docs/readers.md has a row and a block for every reader, and says of each where it runs and whether it reconnects', () => {
  const rows = [...read('docs/readers.md').matchAll(/^\| \[.+\]\(#(.+)\) \| (yes|no) \| yes \| (.+) \|$/gm)];
  const anchor = (reader: string) => reader.replace('.', '');

  expect(rows.map(([, link]) => link)).toEqual(READERS.map(anchor));
  expect(rows.filter(([, , inNode]) => inNode === 'no').map(([, link]) => link)).toEqual(
    [...ONLY_IN_BROWSERS].map(anchor),
  );
  expect(rows.filter(([, , , again]) => again?.startsWith('after')).map(([, link]) => link)).toEqual(
    READERS_THAT_RECONNECT.map(anchor),
  );
});

test.each([
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'docs/agents.md',
  'docs/deployment.md',
  'docs/errors.md',
  'docs/local.md',
  'docs/readers.md',
  'docs/runbook.md',
  'client/README.md',
])('every link of %s inside the repository leads somewhere', (file) => {
  const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) => link);

  for (const link of links) {
    expect({ link, exists: existsSync(join(root, dirname(file), link)) }).toEqual({ link, exists: true });
  }
});

test('the changelog’s newest entry is that of the version', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };

  expect(/^## (\S+)/m.exec(read('CHANGELOG.md'))?.[1]).toBe(version);
});
