import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Plugin } from 'esbuild';
import { BUNDLE_FOLDER, PROBE_FOLDER, RELEASE_CHECK_FOLDER, SERVER_FOLDER } from './bundle.ts';
import { PROJECT_ROOT as root } from './project.ts';

/**
 * One bundle per entry, beside `index`. They are loaded by `import()` when needed: in one file they would not be lazy,
 * because V8 reads the whole file.
 */
const LAZY_ENTRIES = {
  'default-credentials': 'lambda/agentcore/default-credentials.ts',
  dynamodb: 'lambda/sessions/dynamodb.ts',
  otlp: 'lambda/telemetry/otlp.ts',
  powertools: 'lambda/telemetry/powertools.ts',
  stacks: 'lambda/http/stacks.ts',
  tracing: 'lambda/telemetry/tracing.ts',
};

/** `import('./name.ts')` in our own code stays an `import('./name.mjs')` of the bundle beside it. */
const separateLazyBundles: Plugin = {
  name: 'separate-lazy-bundles',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: `./${basename(path, '.ts')}.mjs`, external: true } : undefined,
    );
  },
};

/**
 * Takes Node.js's own modules whole, when the code that needs one runs. An `import … from 'node:crypto'` reads every
 * export of the module first, and so loads whatever stands behind one: WebCrypto, or all of undici behind `node:http`.
 * That is a third of a cold start's init.
 */
const wholeBuiltins: Plugin = {
  name: 'whole-builtins',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^[a-z]/ }, ({ path }) =>
      isBuiltin(path) ? { path: path.replace('node:', ''), namespace: 'whole-builtins' } : undefined,
    );
    pluginBuild.onLoad({ filter: /.*/, namespace: 'whole-builtins' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
    }));
  },
};

/**
 * Of `ws`, its client alone: not its server, not its streams, and not compression, which is switched off for every
 * connection and would load `node:zlib`.
 */
const wsClientOnly: Plugin = {
  name: 'ws-client-only',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^ws$/ }, () => ({
      path: join(root, 'node_modules/ws/lib/websocket.js'),
    }));
    pluginBuild.onResolve({ filter: /^\.\/permessage-deflate$/ }, ({ path }) => ({
      path,
      namespace: 'ws-client-only',
    }));
    pluginBuild.onLoad({ filter: /.*/, namespace: 'ws-client-only' }, () => ({
      contents: "module.exports = { extensionName: 'permessage-deflate' }",
    }));
  },
};

/**
 * The esbuild options of everything that runs in Lambda; the bench builds its rivals with the same ones, but without
 * the plugins above, as a recipe has them.
 * `mainFields` with `module` first halves the bundle (@smithy/core 127 KB to 5 KB).
 */
export const esbuildOptions: BuildOptions & { metafile: true } = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: false,
  sourcemap: false,
  legalComments: 'none',
  metafile: true,
  // CommonJS dependencies call require('events'). The long name cannot collide with a bundled one.
  banner: {
    js: "import{createRequire as createRequireOfBundle}from'node:module';const require=createRequireOfBundle(import.meta.url);",
  },
};

/** Builds what Lambda runs behind the Function URL; see {@link buildFolder}. */
export function buildLambda(outdir: string = BUNDLE_FOLDER): Promise<BuildResult<{ metafile: true }>> {
  return buildFolder({ index: 'lambda/hosts/function-url.ts', ...LAZY_ENTRIES }, outdir);
}

/** Builds the server; see {@link buildFolder}. */
export function buildServer(outdir: string = SERVER_FOLDER): Promise<BuildResult<{ metafile: true }>> {
  return buildFolder({ index: 'lambda/hosts/server.ts', ...LAZY_ENTRIES }, outdir);
}

/** Builds the hook that checks a release; see {@link buildFolder}. */
export function buildReleaseCheck(
  outdir: string = RELEASE_CHECK_FOLDER,
): Promise<BuildResult<{ metafile: true }>> {
  return buildFolder({ index: 'lambda/smoke/release-check.ts' }, outdir);
}

/** Builds the probe; see {@link buildFolder}. */
export function buildProbe(outdir: string = PROBE_FOLDER): Promise<BuildResult<{ metafile: true }>> {
  return buildFolder({ index: 'lambda/smoke/probe.ts' }, outdir);
}

/**
 * Builds a folder that is deployed and removes whatever else lies in it.
 *
 * @param entries names of the bundles and where each begins
 * @param outdir absolute path of the folder
 * @returns esbuild's result; its metafile says what each bundle holds
 */
async function buildFolder(
  entries: Readonly<Record<string, string>>,
  outdir: string,
): Promise<BuildResult<{ metafile: true }>> {
  const result = await build({
    ...esbuildOptions,
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([out, source]) => ({ in: join(root, source), out })),
    outdir,
    plugins: [separateLazyBundles, wholeBuiltins, wsClientOnly],
    // With Node.js's modules taken whole, no require() is left.
    banner: {},
    // Native add-ons of `ws`, which are not deployed: looking for them costs time at each cold start.
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    // See lambda/telemetry/cls.ts.
    alias: { 'cls-hooked/context': join(root, 'lambda/telemetry/cls.ts') },
    logLevel: 'warning',
    write: false,
  });
  // A local system that runs from this folder must never see half a file, nor an empty folder.
  mkdirSync(outdir, { recursive: true });
  const written = new Set(result.outputFiles.map(({ path, contents }) => writeWhole(path, contents)));
  for (const file of readdirSync(outdir)) {
    if (!written.has(file)) rmSync(join(outdir, file), { recursive: true });
  }
  return result;
}

/** Writes a file at once, unless it holds that already; returns its name. */
function writeWhole(path: string, contents: Uint8Array): string {
  const isThere = existsSync(path) && readFileSync(path).equals(contents);
  if (!isThere) {
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, contents);
    renameSync(unfinished, path);
  }
  return basename(path);
}

/** Builds every folder of {@link BUNDLE_FOLDERS}; returns what each bundle holds. */
export function buildAll(): Promise<BuildResult<{ metafile: true }>[]> {
  return Promise.all([buildLambda(), buildServer(), buildReleaseCheck(), buildProbe()]);
}

async function main(): Promise<void> {
  const quiet = process.argv.includes('--quiet');
  for (const { metafile } of await buildAll()) {
    for (const [file, { bytes }] of quiet ? [] : Object.entries(metafile.outputs)) {
      console.log(`${join(dirname(file), basename(file))}  ${(bytes / 1024).toFixed(1)} KiB`);
    }
  }
}

// Not awaited: with a top-level await no CommonJS app could require() the constructs. A failure ends the process.
if (import.meta.main) void main();
