import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project.ts';

/**
 * Returns the deployed version for people, such as `0.1.0 (1a2b3c4d5e6f)`. After the commit, `-dirty` says that the
 * project has changes beyond it. The version stands alone when the commit is not known.
 *
 * @param folder the folder of the project, or of the installed package, whose manifest names its commit as `gitHead`
 */
export function projectVersion(folder: string = PROJECT_ROOT): string {
  const { version, gitHead } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    gitHead?: string;
  };
  const commit = gitHead ?? commitOf(folder);
  return commit === undefined ? version : `${version} (${commit})`;
}

/** Returns the commit of a folder that is the root of a repository, such as `1a2b3c4d5e6f-dirty`. */
export function commitOf(folder: string): string | undefined {
  // In an installed package, Git would find the repository of the app around it.
  if (!existsSync(join(folder, '.git'))) return undefined;
  try {
    // `--exclude=*` keeps tags out: a tag would replace the commit.
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
