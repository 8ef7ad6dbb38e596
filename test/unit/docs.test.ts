import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../lambda/contract.ts';
import { StreamError } from '../../lambda/errors.ts';
import { SERVER_SETTINGS } from '../../lambda/hosts/server-config.ts';
import { SETTINGS, type Setting } from '../../lambda/settings.ts';
import { FRAMEWORK_TITLES, FRAMEWORKS } from '../fixtures/frameworks.ts';
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

test('the README counts the frameworks that are recognised, and names each', () => {
  const readme = read('README.md').replaceAll('\n', ' ');
  const numbers = ['seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
  const [, named = ''] =
    /sends what its framework yields, each item as JSON\. (.+?) are recognised/.exec(readme) ?? [];

  expect(readme).toContain(`[${numbers[FRAMEWORKS.length - 7]} frameworks and plain text](docs/agents.md`);
  for (const framework of FRAMEWORKS) expect(named).toContain(FRAMEWORK_TITLES[framework]);
});

test.each(FRAMEWORKS)(
  'docs/agents.md has a row for %s, says what its close means, and how an entry names it',
  (framework) => {
    const agents = read('docs/agents.md');
    const [, rows = ''] = /\| your framework \|.+\n.+\n([\s\S]+?)\n\n/.exec(agents) ?? [];
    const [, closes = ''] = /\*\*No half answer as a whole one\.\*\*([\s\S]+?)\n\n/.exec(agents) ?? [];
    const [entry = ''] = /^\| `dialect` \|.+$/m.exec(agents) ?? [];

    const firstCells = rows.split('\n').map((row) => row.split(' | ', 1)[0] ?? '');
    const title = FRAMEWORK_TITLES[framework];
    expect(firstCells.filter((cell) => cell.includes(title))).not.toEqual([]);
    expect(closes).toContain(title);
    expect(entry).toContain(`\`"${framework}"\``);
  },
);

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

const NUMBERS = Object.values<Setting>({ ...SETTINGS, ...SERVER_SETTINGS });

const FACTORS: Record<Setting['unit'], Record<string, number>> = {
  ms: { ms: 1, s: 1000, min: 60_000, h: 3_600_000 },
  s: { s: 1, min: 60, h: 3600 },
  bytes: { MiB: 2 ** 20, MB: 1_000_000 },
  count: {},
};

/** A number of a text in the unit of a setting. */
const inUnitOf = ({ unit }: Setting, number: string | undefined, given = ''): number =>
  Number(number) * (FACTORS[unit][given] ?? 1);

test('the documents give each limit that they name the number that is its default', () => {
  const texts = [...PAGES.filter((page) => !IS_GENERATED.test(page)), 'docs/openapi.yaml']
    .map(read)
    .join('\n');
  const behind = texts.matchAll(/`(?<name>[A-Z_]+)`(?: \(|, )(?<number>\d+) (?<unit>ms|s|min|h|MiB|MB)\b/g);
  const before = texts.matchAll(/(?<number>\d+) (?<unit>ms|s|min|h|MiB|MB) \(`(?<name>[A-Z_]+)`/g);

  const told = [...behind, ...before].flatMap(({ groups: { name, number, unit } = {} }) => {
    const setting = NUMBERS.find(({ variable }) => variable === name);
    return setting ? [{ name, told: inUnitOf(setting, number, unit), is: setting.default }] : [];
  });

  expect(told.length).toBeGreaterThan(8);
  expect(told.filter((one) => one.told !== one.is)).toEqual([]);
  expect(texts).toContain(`at most ${SETTINGS.maxPromptBytes.default} bytes of UTF-8, got`);
});

test('each limit is described with its default', () => {
  const source = read('lambda/settings.ts');

  for (const setting of Object.values<Setting>(SETTINGS)) {
    const [before = ''] = source.split(`('${setting.variable}'`);
    const [, described = ''] =
      /@default - (.+?)\s*\*\/\s*\w+: \w+$/s.exec(before.slice(before.lastIndexOf('/**'))) ?? [];
    const [, number, unit] = /(\d+)(?: (ms|s|min|h|MiB|MB)\b)?/.exec(described) ?? [];
    expect([setting.variable, inUnitOf(setting, number, unit)]).toEqual([setting.variable, setting.default]);
  }
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
