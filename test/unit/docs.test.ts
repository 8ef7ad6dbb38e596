import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../lambda/contract.ts';
import { StreamError } from '../../lambda/errors.ts';
import { anchorsOf, linksOf } from '../fixtures/markdown-links.ts';
import { ONLY_IN_BROWSERS, READERS, READERS_THAT_RECONNECT } from '../readers/readers.ts';

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

const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'client/README.md'],
  ...globSync('{docs/**,examples/*}/*.md', { cwd: root }),
].toSorted();

/** TypeDoc counts a name that it has met in two folders as two headings of one page. */
const IS_GENERATED = /^docs\/api\//;

test.each(PAGES)('every link of %s inside the repository leads to a file, and to a heading in it', (file) => {
  const links = linksOf(join(root, file));

  const lost = links.filter(
    ({ target, anchor }) =>
      !existsSync(target) ||
      (anchor !== undefined && !IS_GENERATED.test(file) && !anchorsOf(target).has(anchor)),
  );
  expect(lost.map(({ link }) => link)).toEqual([]);
});

test('the README leads to every page of docs/', () => {
  const linked = linksOf(join(root, 'README.md')).map(({ target }) => target);

  const pages = globSync('docs/*.md', { cwd: root }).map((page) => join(root, page));
  expect(pages.filter((page) => !linked.includes(page))).toEqual([]);
});

test('links are found in text and tables and beside code, and not within code', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'links-')), 'page.md');
  writeFileSync(
    file,
    [
      '# The `A` & [B](b.md)',
      '# Same\n# Same',
      '| [`x`](a.md#one) | ![picture](p.gif) | [web](https://example.com) |',
      'a `[no](no.md)` and [self](#same-1)',
      '```md\n[no](no.md)\n# No\n```',
    ].join('\n'),
  );

  const found = linksOf(file).map(({ link }) => link);
  const anchors = [...anchorsOf(file)];
  rmSync(dirname(file), { recursive: true });

  expect(found).toEqual(['b.md', 'a.md#one', 'p.gif', '#same-1']);
  expect(anchors).toEqual(['the-a--b', 'same', 'same-1']);
});

test('the README is under 180 lines, and its recording under 1 MB', () => {
  const gif = readFileSync(join(root, 'docs/playground.gif'));

  expect(read('README.md').split('\n').length).toBeLessThan(180);
  expect(read('README.md')).toContain('](docs/playground.gif)');
  expect(gif.subarray(0, 6).toString('latin1')).toBe('GIF89a');
  expect(gif.length).toBeLessThan(1_000_000);
});

test.each(['unit', 'infra', 'integration', 'browser'])(
  'words behind npm run test:%s are names of files, and not of further projects',
  (kind) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

    // Jest takes each word behind --selectProjects for a project, up to the next option.
    expect(scripts[`test:${kind}`]).toMatch(/--selectProjects [a-z ]+ --no-watchman$/);
  },
);

test('the changelog’s newest entry is that of the version, and no other is unreleased', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };

  const [newest, ...older] = [...read('CHANGELOG.md').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect(newest).toMatch(/^\S+ \((unreleased|\d{4}-\d\d-\d\d)\)$/);
  expect(newest?.split(' ')[0]).toBe(version);
  for (const heading of older) expect(heading).toMatch(/^\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)$/);
});
