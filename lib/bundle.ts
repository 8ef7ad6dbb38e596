import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project.ts';

/** The folder that is deployed, and that `npm start`, the integration tests and the benches run. */
export const BUNDLE_FOLDER = join(PROJECT_ROOT, 'dist', 'lambda');

/** `handler` of the Lambda function in {@link BUNDLE_FOLDER}. */
export const BUNDLE_HANDLER = 'index.handler';

let built = false;

/**
 * Builds once per process and returns the folder; the installed package has it built already. Synchronous, because a
 * construct's constructor is; esbuild's synchronous API takes no plugins, so the build runs in a child process (0.3 s).
 */
export function bundleSync(): string {
  const builder = join(PROJECT_ROOT, 'lib', 'bundling.ts');
  if (!built && existsSync(builder)) {
    execFileSync(process.execPath, [builder], { cwd: PROJECT_ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  built = true;
  return BUNDLE_FOLDER;
}
