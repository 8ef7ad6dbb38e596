import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { buildLambda, buildServer } from '../../lib/bundling.ts';
import { DEPLOYED_PACKAGES } from '../fixtures/deployed-packages.ts';

/** What is deployed on each host: the same core, with the same bundles beside it. */
const HOSTS = { 'the Function URL': buildLambda, 'the server': buildServer };

let folder: string;
let bundles: Map<string, Metafile['outputs'][string]>;

function bundle(name: string): Metafile['outputs'][string] {
  const found = bundles.get(name);
  if (!found) throw new Error(`no bundle "${name}"`);
  return found;
}

/** Names of the packages whose code is in a bundle. */
function packagesIn(name: string): string[] {
  const names = Object.keys(bundle(name).inputs).flatMap((file) => {
    const inPackage = file.split('node_modules/').at(-1) ?? '';
    return file.includes('node_modules/') ? (/^(@[^/]+\/)?[^/]+/.exec(inPackage)?.[0] ?? []) : [];
  });
  return [...new Set(names)].sort();
}

/** What is loaded with a bundle, other bundles of ours included, and nothing that waits for an `import()`. */
function staticClosure(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const { path, kind } of bundle(name).imports) {
    if (kind !== 'dynamic-import' && bundles.has(basename(path, '.mjs'))) {
      staticClosure(basename(path, '.mjs'), seen);
    }
  }
  return seen;
}

describe.each(Object.entries(HOSTS))('%s:', (_host, buildFolder) => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bundle-'));
    const { metafile } = await buildFolder(folder);
    bundles = new Map(
      Object.entries(metafile.outputs).map(([file, output]) => [basename(file, '.mjs'), output]),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  describe('the entry', () => {
    test('does not load the other bundles with it', () => {
      expect([...staticClosure('index')]).toEqual(['index']);
    });

    test('loads them with import() when they are needed, or one of them does', () => {
      const lazy = ['index', 'powertools'].flatMap((name) =>
        bundle(name).imports.filter(({ kind, path }) => kind === 'dynamic-import' && !isBuiltin(path)),
      );

      expect(lazy.map(({ path }) => basename(path, '.mjs')).sort()).toEqual(
        [...bundles.keys()].filter((name) => name !== 'index').sort(),
      );
    });

    test.each([
      ['the X-Ray SDK', /^aws-xray-sdk/],
      ['Powertools', /^@aws-lambda-powertools\//],
      ['cls-hooked', /^cls-hooked$/],
      ['the AWS SDK', /^@aws-sdk\//],
    ])('has nothing of %s', (_what, lazy) => {
      const packages = [...staticClosure('index')].flatMap(packagesIn);

      expect(packages.filter((name) => lazy.test(name))).toEqual([]);
    });

    test('has of ws only the client, without compression', () => {
      const { inputs } = bundle('index');

      expect(
        Object.keys(inputs).filter((file) => /websocket-server|permessage-deflate\.js/.test(file)),
      ).toEqual([]);
    });

    test('imports nothing at its start: a static import of a built-in reads its every export', () => {
      expect(bundle('index').imports.filter(({ kind }) => kind !== 'dynamic-import')).toEqual([]);
    });

    test('has of the SDK core only what the signer needs', () => {
      const { inputs } = bundle('index');
      const core = Object.entries(inputs).filter(([file]) => file.includes('node_modules/@smithy/core/'));

      // The whole of it has 130 KB.
      expect(core.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)).toBeLessThan(10_000);
    });
  });

  describe('every bundle', () => {
    test('is one that is listed, and nothing else lies in the folder', () => {
      expect([...bundles.keys()].sort()).toEqual(Object.keys(DEPLOYED_PACKAGES).sort());
      expect(readdirSync(folder).sort()).toEqual([...bundles.keys()].map((name) => `${name}.mjs`).sort());
    });

    test.each(Object.entries(DEPLOYED_PACKAGES))(
      '%s holds the packages that are listed for it',
      (name, listed) => {
        expect(packagesIn(name)).toEqual(Object.keys(listed).sort());
      },
    );

    test('reads no global performance, which would load perf_hooks in a cold start', () => {
      const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));

      expect(texts.flatMap((text) => text.match(/\bperformance\s*[.[]/g) ?? [])).toEqual([]);
    });

    test('has no cls-hooked, which makes every await slow', () => {
      const found = [...bundles.keys()].filter((name) =>
        packagesIn(name).some((used) => ['cls-hooked', 'async-hook-jl', 'emitter-listener'].includes(used)),
      );

      expect(found).toEqual([]);
    });

    test('needs nothing beside it but Node itself', () => {
      const wanted = [...bundles.values()].flatMap(({ imports }) =>
        imports
          .map(({ path }) => path)
          .filter((path) => !isBuiltin(path) && !bundles.has(basename(path, '.mjs'))),
      );

      expect(wanted).toEqual([]);
    });
  });
});
