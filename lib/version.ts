import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project.ts';

/**
 * What is deployed, for people: `0.1.0 (1a2b3c4d5e6f)`, with `-dirty` behind a commit that is not all of it.
 *
 * @param folder the project's, or the installed package's, whose manifest names its commit as `gitHead`; where neither
 *   says which commit it is there is the version alone
 */
export function projectVersion(folder: string = PROJECT_ROOT): string {
  const { version, gitHead } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    gitHead?: string;
  };
  const commit = gitHead ?? commitOf(folder);
  return commit === undefined ? version : `${version} (${commit})`;
}

/** The commit of a repository's own folder, `1a2b3c4d5e6f-dirty`. */
export function commitOf(folder: string): string | undefined {
  // Git would find the repository of an app that this is installed in.
  if (!existsSync(join(folder, '.git'))) return undefined;
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
