import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project.ts';

/** The folder that is deployed, and that `npm start`, the integration tests and the benches run. */
export const BUNDLE_FOLDER = join(PROJECT_ROOT, 'dist', 'lambda');

/** The hook that checks a release; it lies beside, so that each is deployed alone. */
export const RELEASE_CHECK_FOLDER = join(PROJECT_ROOT, 'dist', 'release-check');

/** The probe, likewise. */
export const PROBE_FOLDER = join(PROJECT_ROOT, 'dist', 'probe');

/** The server: what a Lambda Web Function or a container runs. */
export const SERVER_FOLDER = join(PROJECT_ROOT, 'dist', 'server');

/** Entry file of {@link SERVER_FOLDER}. */
export const SERVER_ENTRY = 'index.mjs';

/** Everything that is built: the installed package has all of it. */
export const BUNDLE_FOLDERS: readonly string[] = [
  BUNDLE_FOLDER,
  SERVER_FOLDER,
  RELEASE_CHECK_FOLDER,
  PROBE_FOLDER,
];

/** `handler` of the Lambda functions in either folder. */
export const BUNDLE_HANDLER = 'index.handler';

let built = false;

/**
 * Builds everything once per process and returns the folder that is asked for; the installed package has it built
 * already. Synchronous, because a construct's constructor is; esbuild's synchronous API takes no plugins, so the build runs in a child process (0.3 s).
 */
export function bundleSync(folder: string = BUNDLE_FOLDER): string {
  const builder = join(PROJECT_ROOT, 'lib', 'bundling.ts');
  if (!built && existsSync(builder)) {
    execFileSync(process.execPath, [builder], { cwd: PROJECT_ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  built = true;
  return folder;
}
