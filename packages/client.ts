import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { transformSync } from 'esbuild';
import { PROJECT_ROOT } from '../lib/project.ts';
import { asJavaScript, emitDeclarations } from './declarations.ts';
import { CLIENT_SUBPATHS } from './exports.ts';
import { completeStage, emptyStage } from './staging.ts';

/** Puts the package `agentcore-stream-client` together: ES modules, one for one, and their declarations. */
export function stageClient(): string {
  const stage = emptyStage('agentcore-stream-client');
  const sources = globSync('client/*.ts', { cwd: PROJECT_ROOT });
  emitDeclarations(sources, stage);
  rmSync(join(stage, 'tsconfig.json'));
  const outdir = join(stage, 'client');
  mkdirSync(outdir, { recursive: true });
  for (const source of sources) {
    const { code } = transformSync(readFileSync(join(PROJECT_ROOT, source), 'utf8'), {
      loader: 'ts',
      target: 'es2022',
      legalComments: 'none',
    });
    writeFileSync(join(outdir, `${basename(source, '.ts')}.js`), asJavaScript(code));
  }
  cpSync(join(PROJECT_ROOT, 'client', 'README.md'), join(stage, 'README.md'));
  completeStage(stage, {
    name: 'agentcore-stream-client',
    description:
      'Reads the answer of an Amazon Bedrock AgentCore agent token by token, in a browser or in Node.js',
    keywords: ['bedrock', 'agentcore', 'streaming', 'sse', 'react'],
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: {
      ...Object.fromEntries(
        Object.entries(CLIENT_SUBPATHS).map(([path, module]) => [
          path,
          { types: `./client/${module}.d.ts`, default: `./client/${module}.js` },
        ]),
      ),
      './package.json': './package.json',
    },
    files: ['client', 'CHANGELOG.md'],
    peerDependencies: { react: '>=18' },
    peerDependenciesMeta: { react: { optional: true } },
  });
  return stage;
}
