import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT } from '../../lib/project.ts';
import { CLIENT_SUBPATHS, CONSTRUCTS_ENTRY } from '../exports.ts';
import { mendAnchors } from './anchors.ts';

const USAGE = `npm run api [-- --check]

Writes the reference of what the packages export, docs/api, from the docstrings.
With --check it writes nothing, and fails where docs/api is not what it would write.`;

const FOLDER = join(PROJECT_ROOT, 'docs', 'api');

/** What somebody imports. */
const ENTRIES = [CONSTRUCTS_ENTRY, ...Object.values(CLIENT_SUBPATHS).map((module) => `client/${module}.ts`)];

/** Writes the reference into a folder. */
function write(out: string): void {
  const here = import.meta.dirname;
  if (!existsSync(join(here, 'node_modules'))) execFileSync('npm', ['ci'], { cwd: here, stdio: 'inherit' });
  const options = [
    ...['--tsconfig', join(here, 'tsconfig.json'), '--out', out, '--plugin', 'typedoc-plugin-markdown'],
    ...['--name', 'agentcore-stream', '--readme', 'none', '--skipErrorChecking', '--disableSources'],
    ...[
      '--excludePrivate',
      '--excludeInternal',
      '--excludeExternals',
      '--hideBreadcrumbs',
      '--hidePageHeader',
    ],
    ...['--outputFileStrategy', 'modules', '--logLevel', 'Warn', '--validation.notExported', 'false'],
    ...['--validation.invalidLink', 'false', '--treatWarningsAsErrors', 'false'],
  ];
  const entries = ENTRIES.map((entry) => join(PROJECT_ROOT, entry));
  execFileSync(process.execPath, [join(here, 'node_modules/typedoc/bin/typedoc'), ...options, ...entries], {
    cwd: here,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  mendAnchors(out);
}

/** Every file of a folder, by its path. */
function contentOf(folder: string): Map<string, string> {
  const files = globSync('**/*.md', { cwd: folder }).sort();
  return new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

/** The files that are not the same in both. */
function differences(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  const files = new Set([...one.keys(), ...other.keys()]);
  return [...files].filter((file) => one.get(file) !== other.get(file));
}

const out = mkdtempSync(join(tmpdir(), 'api-'));
try {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  write(out);
  if (values.check) {
    const stale = differences(contentOf(FOLDER), contentOf(out));
    if (stale.length > 0) throw new Error(`docs/api is not what npm run api writes: ${stale.join(', ')}`);
  } else {
    rmSync(FOLDER, { recursive: true, force: true });
    cpSync(out, FOLDER, { recursive: true });
  }
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
