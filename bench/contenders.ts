import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { BUNDLE_FOLDER } from '../lib/bundle.ts';
import { buildLambda, esbuildOptions } from '../lib/bundling.ts';

/** A function that is measured. */
export interface Contender {
  name: string;
  /** Holds `index.mjs`. */
  folder: string;
}

/** Of bench/contenders, in the order of the table; `empty` is measured to be subtracted. */
const SOURCES = ['raw', 'signer', 'hono', 'powertools', 'sdk', 'empty'] as const;
const ROOT = join(import.meta.dirname, '..');

/**
 * Builds all of them with the options of the deployed function.
 *
 * @param variant another build of ours to measure beside it
 */
export async function buildContenders(variant?: string): Promise<Contender[]> {
  await buildLambda();
  const peers = SOURCES.map((name) => ({ name, folder: join(ROOT, 'dist/bench', name) }));
  for (const { name, folder } of peers) {
    await build({
      ...esbuildOptions,
      absWorkingDir: ROOT,
      entryPoints: [{ in: join(import.meta.dirname, 'contenders', `${name}.ts`), out: 'index' }],
      outdir: folder,
      // CommonJS dependencies call require('events'). The long name cannot collide with a bundled one.
      banner: {
        js: "import{createRequire as createRequireOfBundle}from'node:module';const require=createRequireOfBundle(import.meta.url);",
      },
      logLevel: 'error',
    });
  }
  const [raw, ...others] = peers;
  const ours = { name: 'ours', folder: BUNDLE_FOLDER };
  return [
    ...(raw ? [raw] : []),
    ours,
    ...(variant === undefined ? [] : [{ name: 'variant', folder: variant }]),
    ...others,
  ];
}

/** Of those of these files that a contender has, in KiB. */
export function bundleKiB({ folder }: Contender, files: readonly string[]): number {
  const present = files.map((file) => join(folder, file)).filter((file) => existsSync(file));
  return present.reduce((sum, file) => sum + statSync(file).size, 0) / 1024;
}
