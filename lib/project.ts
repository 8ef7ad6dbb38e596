import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const NAME = 'agentcore-stream';

/**
 * The folder of this project or of the installed package. The search goes upwards, because the package's modules lie at
 * another depth.
 */
export const PROJECT_ROOT = rootAbove(import.meta.dirname);

function rootAbove(folder: string): string {
  const manifest = join(folder, 'package.json');
  if (existsSync(manifest)) {
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string };
    if (name === NAME) return folder;
  }
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`no package.json of ${NAME} above ${import.meta.dirname}`);
  return rootAbove(parent);
}
