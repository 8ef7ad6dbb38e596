import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What stands in for packages that others depend on and nothing here loads (CONTRIBUTING.md, Packages). */

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies: Record<string, string>;
  peerDependencies?: Record<string, string>;
  overrides: Record<string, string | Record<string, string>>;
}

const root = join(import.meta.dirname, '../..');
const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
const { devDependencies, overrides } = manifestIn('.');
const FOLDER = 'file:local/stand-ins/';
const standIns = Object.entries(devDependencies).filter(([, from]) => from.startsWith(FOLDER));
const replaced = Object.entries(overrides).flatMap(([by, what]) =>
  typeof what === 'string' ? [] : Object.entries(what).map(([name, value]) => ({ by, name, value })),
);

test.each(replaced)('$by still depends on $name, which has a stand-in', ({ by, name, value }) => {
  const { dependencies, peerDependencies } = manifestIn(`node_modules/${by}`);

  expect({ ...dependencies, ...peerDependencies }).toHaveProperty([name]);
  expect(value).toBe(`$${name}`);
});

test('each stand-in is there for a package that asks for it, and no other is kept', () => {
  const asked = new Set(replaced.map(({ name }) => name));
  const used = new Set(standIns.map(([, from]) => from.slice(FOLDER.length)));

  expect(standIns.map(([name]) => name)).toEqual([...asked].sort());
  expect(readdirSync(join(root, 'local/stand-ins')).sort()).toEqual([...used].sort());
});

test('to load what is absent says how to get it', async () => {
  const loaded = import('../../local/stand-ins/absent/index.cjs' as string);

  await expect(loaded).rejects.toThrow('take its name out of "devDependencies" and "overrides"');
});
