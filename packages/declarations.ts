import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../lib/project.ts';
import { writeJson } from './staging.ts';

/**
 * Writes the declarations of the given sources, and of what they import, into a folder, under their paths in the
 * project. They import one another as JavaScript, so that no compiler option is asked of whoever uses them.
 */
export function emitDeclarations(sources: readonly string[], outdir: string): void {
  const config = join(outdir, 'tsconfig.json');
  writeJson(config, {
    extends: join(PROJECT_ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: PROJECT_ROOT,
      outDir: '.',
      types: ['node'],
      typeRoots: [join(PROJECT_ROOT, 'node_modules/@types')],
    },
    include: [],
    files: sources.map((source) => join(PROJECT_ROOT, source)),
  });
  const tsc = join(PROJECT_ROOT, 'node_modules/typescript/lib/tsc.js');
  execFileSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit' });
  writeFileSync(config, '');
  for (const file of globSync('**/*.d.ts', { cwd: outdir })) {
    const path = join(outdir, file);
    writeFileSync(path, asJavaScript(readFileSync(path, 'utf8')));
  }
}

/** `./x.ts` in an import is `./x.js`. */
export function asJavaScript(code: string): string {
  return code.replace(/((?:from|import)\s*\(?\s*['"])(\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1$2.js$3');
}
