import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CLIENT_SUBPATHS } from '../../packages/exports.ts';
import { codeBlocksOf } from '../fixtures/code-blocks.ts';
import { type FreshApp, freshApp, packed } from './fresh-app.ts';

const root = join(import.meta.dirname, '../..');
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};
/** A compiler that most apps have, not the one of this project. */
const TYPESCRIPT = 'typescript@5.9.3';

let out: string;
let tarballs: { constructs: string; client: string };
beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'packed-'));
  tarballs = packed(out);
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

/** The ten lines of the page that comes with the package. */
const [example] = codeBlocksOf(join(root, 'packages/constructs.md')).filter(
  ({ language }) => language === 'ts',
);

describe('agentcore-stream, in an app of somebody else', () => {
  let app: FreshApp;
  beforeAll(() => {
    app = freshApp();
    app.install(
      tarballs.constructs,
      `aws-cdk-lib@${dependencies['aws-cdk-lib']}`,
      `constructs@${dependencies.constructs}`,
      TYPESCRIPT,
      '@types/node@24',
    );
  });
  afterAll(() => app?.remove());

  /** The template that a synthesis wrote, and the files that it would upload. */
  const synthesized = () => {
    const assembly = join(app.folder, 'cdk.out');
    const files = readdirSync(assembly, { recursive: true, encoding: 'utf8' });
    const template = JSON.parse(readFileSync(join(assembly, 'Agents.template.json'), 'utf8')) as {
      Resources: Record<string, { Type: string }>;
    };
    rmSync(assembly, { recursive: true });
    return { types: Object.values(template.Resources).map(({ Type }) => Type), files };
  };
  const LIKE_ANY_OTHER = { strict: true, target: 'es2022', skipLibCheck: false, types: ['node'] };
  const commonJs = example?.code
    .replace(/import (\{[^}]*\}) from ('[^']*');/g, 'const $1 = require($2);')
    .trim();

  test('needs nothing but its peers', () => {
    app.installed();

    const { dependencies: own, peerDependencies } = JSON.parse(
      readFileSync(join(app.folder, 'node_modules/agentcore-stream/package.json'), 'utf8'),
    ) as Record<string, Record<string, string>>;

    expect(own).toBeUndefined();
    expect(Object.keys(peerDependencies ?? {})).toEqual(['aws-cdk-lib', 'constructs']);
    expect(app.installed()).not.toEqual(expect.arrayContaining(['esbuild']));
  });

  test.each([
    ['an ES module', 'app.mjs', example?.code],
    ['CommonJS', 'app.cjs', commonJs],
  ])('synthesizes from %s, with the bundle that it brings', (_what, file, code) => {
    app.write(file, `${code}\n`);

    const { status, output } = app.run(file);

    expect(output).toBe('');
    expect(status).toBe(0);
    const { types, files } = synthesized();
    expect(types).toEqual(expect.arrayContaining(['AWS::Lambda::Url', 'AWS::CloudWatch::Dashboard']));
    expect(files.filter((name) => /^asset\.\w+\/index\.mjs$/.test(name))).toHaveLength(1);
  });

  test('releases with the check that it brings', () => {
    const release = `${example?.code.replace('AgentStreamObservability }', 'AgentStreamObservability, AgentStreamRelease }')}
      new AgentStreamRelease(stack, 'Release', { stream, strategy: 'canary' });`;
    app.write('release.mjs', release);

    const { status, output } = app.run('release.mjs');

    expect(output).toBe('');
    expect(status).toBe(0);
    const { types, files } = synthesized();
    expect(types).toContain('AWS::CodeDeploy::DeploymentGroup');
    expect(files.filter((name) => /^asset\.\w+\/index\.mjs$/.test(name))).toHaveLength(2);
  });

  test.each([
    ['an ES module', 'app.mts', 'nodenext'],
    ['CommonJS', 'app.cts', 'nodenext'],
    ['a bundler', 'app.ts', 'esnext'],
  ])('is typed for %s, without options of its own', (_what, file, module) => {
    const misspelled = `${example?.code}\n// @ts-expect-error There is no such prop.\nnew AgentStreamFunction(stack, 'Wrong', { agnets: [] });\n`;
    app.write(file, misspelled);

    const complaints = app.check(file, {
      ...LIKE_ANY_OTHER,
      module,
      ...(module === 'esnext' && { moduleResolution: 'bundler' }),
      // Declarations of others are theirs: aws-cdk-lib's alone take half a minute.
      skipLibCheck: true,
    });

    expect(complaints).toBe('');
  });

  test('its own declarations are sound', () => {
    app.write(
      'own.mts',
      "import type { AgentStreamStackProps } from 'agentcore-stream';\nexport type Props = AgentStreamStackProps;\n",
    );

    const complaints = app.check('own.mts', { ...LIKE_ANY_OTHER, module: 'nodenext' });

    expect(complaints.split('\n').filter((line) => line.includes('agentcore-stream'))).toEqual([]);
  });
});

describe('agentcore-stream-client, in a frontend of somebody else', () => {
  let app: FreshApp;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    app = freshApp();
    app.install(tarballs.client, TYPESCRIPT);
    server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"start":true,"sessionId":"s","agentId":"a","requestId":"r"}\n\n');
      response.write('data: {"chunk":"hello"}\n\n');
      response.end('data: {"done":true,"sessionId":"s","chunks":1,"bytes":5,"durationMs":1}\n\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server?.close();
    app?.remove();
  });

  test('needs no other package, React included', () => {
    expect(app.installed().sort()).toEqual(['agentcore-stream-client', 'typescript']);
  });

  test('is well typed where the hook is not used', () => {
    app.write(
      'page.ts',
      `import { streamAgent } from 'agentcore-stream-client';
       import { withContentSha256 } from 'agentcore-stream-client/content-sha256';
       const fetch = withContentSha256();
       for await (const event of streamAgent('https://x.example', { agentId: 'a', prompt: 'b', fetch }))
         if (event.type === 'chunk') document.body.append(event.text);\n`,
    );

    const complaints = app.check('page.ts', {
      strict: true,
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable'],
      module: 'esnext',
      moduleResolution: 'bundler',
      types: [],
    });

    expect(complaints).toBe('');
  });

  test('reads an answer in Node.js', async () => {
    app.write(
      'ask.mjs',
      `import { streamAgent } from 'agentcore-stream-client';
       for await (const event of streamAgent(process.env.URL, { agentId: 'a', prompt: 'b' })) console.log(event.type);\n`,
    );

    const { promise, resolve } = Promise.withResolvers<string>();
    const { execFile } = await import('node:child_process');
    execFile(
      process.execPath,
      ['ask.mjs'],
      { cwd: app.folder, env: { PATH: process.env.PATH, URL: url } },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );

    expect(await promise).toBe('start\nchunk\ndone\n');
  });

  test.each(Object.keys(CLIENT_SUBPATHS).filter((path) => path !== './react'))(
    'exports %s to whoever imports it, without React',
    (path) => {
      const specifier = `agentcore-stream-client${path.slice(1)}`;
      app.write('import.mjs', `console.log(Object.keys(await import('${specifier}')).length > 0);\n`);

      expect(app.run('import.mjs')).toEqual({ status: 0, output: 'true\n' });
    },
  );

  test('has the hook of its README typed, with React’s types', () => {
    const [component] = codeBlocksOf(join(root, 'client/README.md')).filter(
      ({ heading }) => heading === 'React',
    );
    app.install('react@19', '@types/react@19');
    app.write('conversation.tsx', component?.code ?? '');

    const complaints = app.check('conversation.tsx', {
      strict: true,
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable'],
      module: 'esnext',
      moduleResolution: 'bundler',
      jsx: 'react-jsx',
      types: [],
    });

    expect(complaints).toBe('');
  });
});
