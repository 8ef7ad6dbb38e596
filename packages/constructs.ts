import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { BUNDLE_FOLDERS } from '../lib/bundle.ts';
import { buildAll } from '../lib/bundling.ts';
import { PROJECT_ROOT } from '../lib/project.ts';
import { emitDeclarations } from './declarations.ts';
import { CONSTRUCTS_ENTRY } from './exports.ts';
import { completeStage, emptyStage, PROJECT, writeJson } from './staging.ts';

/** Each module system of its own folder, with its own declarations, as a compiler reads them by their folder. */
const FORMATS = {
  esm: { format: 'esm', type: 'module', define: {} },
  cjs: {
    format: 'cjs',
    type: 'commonjs',
    define: { 'import.meta.dirname': '__dirname', 'import.meta.main': 'false' },
  },
} as const;

/** Puts the package `agentcore-stream` together: constructs for ES modules and CommonJS, and the bundles that they deploy. */
export async function stageConstructs(): Promise<string> {
  const stage = emptyStage('agentcore-stream');
  await buildAll();
  for (const folder of BUNDLE_FOLDERS) {
    cpSync(folder, join(stage, 'dist', basename(folder)), { recursive: true });
  }
  for (const [name, { format, type, define }] of Object.entries(FORMATS)) {
    const outdir = join(stage, 'dist', name);
    mkdirSync(outdir, { recursive: true });
    await build({
      absWorkingDir: PROJECT_ROOT,
      entryPoints: { index: CONSTRUCTS_ENTRY },
      outdir,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format,
      define,
      external: ['aws-cdk-lib', 'constructs'],
      legalComments: 'none',
      logLevel: 'warning',
    });
    emitDeclarations([CONSTRUCTS_ENTRY], outdir);
    rmSync(join(outdir, 'tsconfig.json'));
    writeJson(join(outdir, 'package.json'), { type });
  }
  mkdirSync(join(stage, 'docs'));
  for (const page of ['runbook.md', 'deployment.md', 'agents.md', 'errors.md']) {
    cpSync(join(PROJECT_ROOT, 'docs', page), join(stage, 'docs', page));
  }
  cpSync(join(PROJECT_ROOT, 'packages', 'constructs.md'), join(stage, 'README.md'));
  const entryOf = (name: keyof typeof FORMATS) => ({
    types: `./dist/${name}/${CONSTRUCTS_ENTRY.replace(/\.ts$/, '.d.ts')}`,
    default: `./dist/${name}/index.js`,
  });
  completeStage(stage, {
    name: 'agentcore-stream',
    description: 'CDK constructs that stream Amazon Bedrock AgentCore agents to a browser, token by token',
    keywords: ['aws-cdk', 'bedrock', 'agentcore', 'streaming', 'sse', 'lambda'],
    type: 'module',
    engines: { node: '>=20.11' },
    main: entryOf('cjs').default,
    types: entryOf('cjs').types,
    exports: {
      '.': { import: entryOf('esm'), require: entryOf('cjs') },
      './package.json': './package.json',
    },
    files: ['dist', 'docs', 'CHANGELOG.md'],
    peerDependencies: {
      'aws-cdk-lib': `^${PROJECT.dependencies['aws-cdk-lib']}`,
      constructs: '^10.0.0',
    },
  });
  return stage;
}
