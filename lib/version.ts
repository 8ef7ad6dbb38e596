import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/**
 * What is deployed, for people: `0.1.0 (1a2b3c4d5e6f)`, with `-dirty` behind a commit that is not all of it.
 *
 * @param folder the project's; where Git knows nothing of it there is the version alone
 */
export function projectVersion(folder: string = ROOT): string {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const commit = commitOf(folder);
  return commit === undefined ? version : `${version} (${commit})`;
}

function commitOf(folder: string): string | undefined {
  try {
    // No tag stands in for the commit.
    const args = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
    return execFileSync('git', args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
