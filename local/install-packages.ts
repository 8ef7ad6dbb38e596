import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Installs what a folder's own package.json needs from npm, unless it is there as the lock file says. */
export function installPackages(folder: string): void {
  const installed = join(folder, 'node_modules/.package-lock.json');
  const lock = join(folder, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  process.stderr.write(`installing the packages of ${folder} from npm\n`);
  execFileSync('npm', ['ci', '--silent', '--prefix', folder, '--ignore-scripts'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
