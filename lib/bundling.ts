import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Plugin } from 'esbuild';
import {
  BUNDLE_FOLDER,
  BUNDLE_FOLDERS,
  PROBE_FOLDER,
  RELEASE_CHECK_FOLDER,
  SERVER_FOLDER,
} from './bundle.ts';
import { PROJECT_ROOT as root } from './project.ts';
import { isUnchanged, writeStamp } from './stamp.ts';

/**
 * The modules that get a bundle of their own beside `index`, and are loaded by `import()` when needed. In one file they
 * would not be lazy, because V8 reads the whole file.
 */
const LAZY_ENTRIES = {
  'default-credentials': 'lambda/agentcore/default-credentials.ts',
  dynamodb: 'lambda/sessions/dynamodb.ts',
  otlp: 'lambda/telemetry/otlp.ts',
  powertools: 'lambda/telemetry/powertools.ts',
  stacks: 'lambda/http/stacks.ts',
  tracing: 'lambda/telemetry/tracing.ts',
};

/** Turns `import('./name.ts')` in our own code into `import('./name.mjs')`, which loads the bundle beside it. */
const separateLazyBundles: Plugin = {
  name: 'separate-lazy-bundles',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: `./${basename(path, '.ts')}.mjs`, external: true } : undefined,
    );
  },
};

/**
 * Loads each of Node.js's own modules as a whole, when the code that needs it runs. An `import … from 'node:crypto'`
 * reads every export of the module at once, and so loads what is behind an export: WebCrypto, or all of undici behind
 * `node:http`. This takes a third of a cold start's init.
 */
export const wholeBuiltins: Plugin = {
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
 * Bundles only the client of `ws`, without its server, its streams and its compression. Compression is switched off for
 * every connection and would load `node:zlib`.
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
 * The esbuild options of everything that runs in Lambda. The bench builds its rivals with these options but without the
 * plugins above, because published recipes have no such plugins. `module` as the first of `mainFields` halves the
 * bundle (@smithy/core 127 KB to 5 KB).
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
};

/** Builds the function behind the Function URL; see {@link buildFolder}. */
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
 * Builds a folder that is deployed, and removes all other files from it.
 *
 * @param entries the entry file of each bundle, by the bundle's name
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
    // The native add-ons of `ws` are not deployed, and looking for them would cost time at each cold start.
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    // Each of these files says why it replaces what it does.
    inject: [join(root, 'lambda/clock.ts')],
    alias: { 'cls-hooked/context': join(root, 'lambda/telemetry/cls.ts') },
    logLevel: 'warning',
    write: false,
  });
  // A local system that runs from this folder must never see half a file or an empty folder.
  mkdirSync(outdir, { recursive: true });
  const written = new Set(result.outputFiles.map(({ path, contents }) => writeWhole(path, contents)));
  for (const file of readdirSync(outdir)) {
    if (!written.has(file)) rmSync(join(outdir, file), { recursive: true });
  }
  return result;
}

/** Writes a file in one step, unless it has these contents already. Returns the file's name. */
function writeWhole(path: string, contents: Uint8Array): string {
  const isThere = existsSync(path) && readFileSync(path).equals(contents);
  if (!isThere) {
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, contents);
    renameSync(unfinished, path);
  }
  return basename(path);
}

/** The stamp lies beside the folders that are deployed, so that it is not deployed itself. */
const STAMP = join(root, 'dist', 'stamp.json');

/** The files that decide how a build is made, besides the modules in its bundles. */
const RECIPE = ['lib/bundling.ts', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** Builds every folder of {@link BUNDLE_FOLDERS}; returns what each bundle holds. */
export async function buildAll(): Promise<BuildResult<{ metafile: true }>[]> {
  const startedAt = Date.now();
  const results = await Promise.all([buildLambda(), buildServer(), buildReleaseCheck(), buildProbe()]);
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  writeStamp(STAMP, {
    // A module that a plugin makes has its namespace in front of its name, and is no file.
    sources: [...RECIPE, ...inputs.filter((path) => !path.includes(':'))].map((path) => join(root, path)),
    made: BUNDLE_FOLDERS.flatMap((folder) => [
      folder,
      ...readdirSync(folder).map((file) => join(folder, file)),
    ]),
    startedAt,
  });
  return results;
}

/** With `--quiet`, nothing is printed, and nothing is built if nothing has changed since the last build. */
async function main(): Promise<void> {
  if (process.argv.includes('--quiet')) {
    if (!isUnchanged(STAMP)) await buildAll();
    return;
  }
  for (const { metafile } of await buildAll()) {
    for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
      console.log(`${join(dirname(file), basename(file))}  ${(bytes / 1024).toFixed(1)} KiB`);
    }
  }
}

// The promise is not awaited: a top-level await would keep CommonJS apps from requiring the constructs. A failure ends
// the process.
if (import.meta.main) void main();
