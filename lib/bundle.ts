import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project.ts';

/** The folder that is deployed, and that `npm start`, the integration tests and the benches run. */
export const BUNDLE_FOLDER = join(PROJECT_ROOT, 'dist', 'lambda');

/** The folder of the release check. Each function has its own folder, so that each is deployed alone. */
export const RELEASE_CHECK_FOLDER = join(PROJECT_ROOT, 'dist', 'release-check');

/** The folder of the probe. */
export const PROBE_FOLDER = join(PROJECT_ROOT, 'dist', 'probe');

/** The folder of the server, which a Lambda Web Function or a container runs. */
export const SERVER_FOLDER = join(PROJECT_ROOT, 'dist', 'server');

/** Entry file of {@link SERVER_FOLDER}. */
export const SERVER_ENTRY = 'index.mjs';

/** Every folder that is built. The installed package contains all of them. */
export const BUNDLE_FOLDERS: readonly string[] = [
  BUNDLE_FOLDER,
  SERVER_FOLDER,
  RELEASE_CHECK_FOLDER,
  PROBE_FOLDER,
];

/** The `handler` of each Lambda function: the bundles of the function, the release check and the probe export it. */
export const BUNDLE_HANDLER = 'index.handler';

let built = false;

/**
 * Builds every folder, at most once per process and only where a source has changed, and returns the given one. The
 * installed package brings its folders built, so nothing is built there. The function is synchronous because a
 * construct's constructor is. The build runs in a child process (0.3 s), because esbuild's synchronous API takes no
 * plugins.
 */
export function bundleSync(folder: string = BUNDLE_FOLDER): string {
  const builder = join(PROJECT_ROOT, 'lib', 'bundling.ts');
  if (!built && existsSync(builder)) {
    execFileSync(process.execPath, [builder, '--quiet'], {
      cwd: PROJECT_ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  built = true;
  return folder;
}
