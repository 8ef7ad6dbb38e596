import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../..');
const TSC = join(root, 'node_modules/typescript/bin/tsc');
const VITE = join(import.meta.dirname, 'node_modules/vite/bin/vite.js');

export interface BuiltExample {
  /** A copy of the example below this folder, whose packages it finds, with what was built in `dist`. */
  folder: string;
  remove(): Promise<void>;
}

export interface BuildOptions {
  /** Vite's. @default production */
  mode?: string;
  /** Takes the place of files of the example. @default none */
  files?: Record<string, string>;
}

/**
 * Builds an example for a service, as its own `npm run build` does, with the packages of this folder: its
 * package.json names the same versions.
 *
 * @throws Error with what the build says
 */
export async function buildExample(
  name: string,
  url: string,
  { mode = 'production', files = {} }: BuildOptions = {},
): Promise<BuiltExample> {
  const all = join(import.meta.dirname, '.examples');
  await mkdir(all, { recursive: true });
  const copy = await mkdtemp(join(all, `${name}-`));
  // Where the example stands beside the client, its copy does, too.
  const folder = join(copy, 'examples', name);
  await cp(join(root, 'examples', name), folder, {
    recursive: true,
    filter: (path) => !/\/(node_modules|dist)$/.test(path),
  });
  await cp(join(root, 'client'), join(copy, 'client'), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  await run(folder, [TSC, '-p', '.']);
  await run(folder, [VITE, 'build', '--mode', mode, '--logLevel', 'error'], { VITE_URL: url });
  return { folder, remove: () => rm(copy, { recursive: true }) };
}

/** @throws Error with what the command says */
async function run(cwd: string, command: string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const options = { cwd, env: { ...process.env, NODE_ENV: 'production', ...env } };
  await promisify(execFile)(process.execPath, command, options).catch((error) => {
    throw new Error(`${command.slice(0, 2).join(' ')}: ${error.stdout}${error.stderr}`);
  });
}
