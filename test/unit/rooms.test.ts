import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** The design of docs/architecture.md, held to by what each file imports, types included. */
const ROOT = join(import.meta.dirname, '../..');

/** The rooms of the function, the higher ones first: each may import what stands below it, and nothing above. */
const ROOMS = [
  ['hosts', 'smoke'],
  ['http'],
  ['telemetry'],
  ['protocols'],
  ['answer'],
  ['sessions'],
  ['agentcore'],
  ['config.ts'],
  ['agents.ts', 'otlp-config.ts'],
  ['dialects'],
  ['framing'],
  ['arn.ts', 'events.ts', 'agent-error.ts', 'aws-message.ts'],
  ['errors.ts'],
  ['contract.ts', 'end-mark.ts', 'settings.ts', 'within.ts', 'child-abort.ts', 'clock.ts'],
];

/** What each folder of the repository may import of the others. */
const FOLDERS: Record<string, readonly string[]> = {
  client: [],
  lambda: [],
  lib: ['lambda'],
  bin: ['lib'],
  local: ['lambda', 'lib', 'client'],
};

/** Lines that no file reaches: one that does has two subjects. */
const TOO_LONG = 400;

interface Import {
  from: string;
  to: string;
}

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name).slice(ROOT.length + 1));
}

/** Every relative import of a file, those of types and the lazy ones included. */
function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [...source.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)'(\.{1,2}\/[^']+)'/g)].map(
    ([, specifier = '']) => ({
      from: file,
      to: normalize(join(dirname(file), specifier)),
    }),
  );
}

const imports = Object.keys(FOLDERS).flatMap(filesOf).flatMap(importsOf);
const shown = ({ from, to }: Import) => `${from} -> ${to}`;

describe('the rooms of lambda/', () => {
  const heightOf = (file: string) => ROOMS.findIndex((rooms) => rooms.includes(file.split('/')[1] ?? ''));
  const files = filesOf('lambda');

  test('are all there is', () => {
    expect(files.filter((file) => heightOf(file) < 0)).toEqual([]);
    expect(files.length).toBeGreaterThan(60);
  });

  test('import only what stands below them', () => {
    const within = imports.filter(({ from }) => from.startsWith('lambda/'));

    const upwards = within.filter(({ from, to }) => heightOf(to) < heightOf(from));

    expect(within.length).toBeGreaterThan(200);
    expect(upwards.map(shown)).toEqual([]);
  });
});

describe('the folders', () => {
  test.each(Object.entries(FOLDERS))('%s imports of the others only %j', (folder, allowed) => {
    const foreign = imports.filter(
      ({ from, to }) =>
        from.startsWith(`${folder}/`) && ![folder, ...allowed].includes(to.split('/')[0] ?? ''),
    );

    expect(foreign.filter(({ to }) => !to.startsWith('package.json')).map(shown)).toEqual([]);
  });

  test('have no circle of files', () => {
    const next = Map.groupBy(imports, ({ from }) => from);
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, path: string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (done.has(file) || path.includes(file)) return;
      for (const { to } of next.get(file) ?? []) walk(to, [...path, file]);
      done.add(file);
    };

    for (const file of next.keys()) walk(file, []);

    expect(circles).toEqual([]);
  });
});

test('no file of product or tests is too long to be read at once', () => {
  const files = globSync(
    [...Object.keys(FOLDERS), 'test'].map((folder) => `${folder}/**/*.ts`),
    {
      cwd: ROOT,
      exclude: ['**/node_modules', '**/.*'],
    },
  );
  const linesOf = (file: string) => readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1;

  const long = files.filter((file) => linesOf(file) >= TOO_LONG);

  expect(long).toEqual([]);
  expect(files.length).toBeGreaterThan(300);
});
