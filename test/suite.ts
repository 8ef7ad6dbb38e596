import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from '../local/install-packages.ts';

/**
 * Runs one of the suites that have a package.json of their own, so that `npm ci` of the project stays small:
 * `npm run suite -- readers`. Its packages are installed where they are not, its types are checked where it has a
 * tsconfig.json, then its tests run; further arguments are Jest's.
 */
const [name = '', ...options] = process.argv.slice(2);
const folder = join(import.meta.dirname, name);
const config = join(folder, 'jest.config.js');
if (!/^[a-z]+$/.test(name) || !existsSync(config)) {
  throw new Error(`expected the name of a folder of test/ with a jest.config.js, got "${name}"`);
}
installPackages(folder);
if (existsSync(join(folder, 'tsconfig.json'))) run('npx', 'tsc', '-p', folder);
run('npm', 'run', '--silent', 'jest', '--', '--config', config, ...options);

function run(command: string, ...args: string[]): void {
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) return;
  process.stderr.write(
    `${command} ${args.join(' ')} ended: ${error?.message ?? signal ?? `code ${status}`}\n`,
  );
  process.exit(status ?? 1);
}
