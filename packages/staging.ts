import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../lib/project.ts';
import { commitOf } from '../lib/version.ts';

/** What of the project's manifest every package has as well. */
interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

export const PROJECT = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as Manifest;

/** An empty folder in which a package is put together. */
export function emptyStage(name: string): string {
  const folder = join(PROJECT_ROOT, 'dist', 'packages', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Writes the manifest, with the version and the commit of the project, and copies what every package has. */
export function completeStage(folder: string, manifest: Readonly<Record<string, unknown>>): void {
  const { version, license } = PROJECT;
  const gitHead = commitOf(PROJECT_ROOT);
  writeJson(join(folder, 'package.json'), {
    ...manifest,
    version,
    license,
    ...(gitHead !== undefined && { gitHead }),
  });
  for (const file of ['LICENSE', 'CHANGELOG.md']) cpSync(join(PROJECT_ROOT, file), join(folder, file));
}

export function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Makes the tarball of a stage; returns its path. */
export function pack(folder: string, out: string): string {
  mkdirSync(out, { recursive: true });
  const args = ['pack', folder, '--pack-destination', out, '--json', '--ignore-scripts'];
  const [made] = JSON.parse(execFileSync('npm', args, { cwd: PROJECT_ROOT, encoding: 'utf8' })) as [
    { filename: string },
  ];
  return join(out, made.filename);
}
