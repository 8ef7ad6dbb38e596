import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { COMPILE_CACHE } from '../fixtures/compile-cache.ts';
import { runtimeArn } from './support.ts';

const root = join(import.meta.dirname, '../..');
const cdkJson = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: object };
const ARNS = {
  onboardingAgentArn: runtimeArn('OnboardingAgent'),
  provisioningAgentArn: runtimeArn('ProvisioningAgent'),
  mwcAgentArn: runtimeArn('MWCAgent'),
};

/** Starting Node, the CDK and esbuild takes seconds, on a busy machine many. */
const LIMIT_MS = 120_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'app-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** CloudFormation's schemas take two thirds of a synthesis: they are left out where something else is looked at. */
const UNVALIDATED = { CDK_VALIDATION: 'false' };

/** Runs a program without this machine's credentials and without its user's settings. */
function run(args: string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...COMPILE_CACHE,
      ...env,
    },
  });
}

/** What the CLI does with `cdk.json` and `-c`. */
function synthesize(context: object, env: Record<string, string> = {}, nodeOptions: string[] = []) {
  return run([...nodeOptions, 'bin/app.ts'], {
    CDK_OUTDIR: folder,
    CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, ...context }),
    ...env,
  });
}

test(
  'three ARNs synthesize offline, with the bundle, without a complaint and without a secret of the deployer',
  () => {
    const canaries = {
      AWS_ACCESS_KEY_ID: 'AKIACANARY0000000001',
      AWS_SECRET_ACCESS_KEY: 'canary-of-the-secret-key',
      AWS_SESSION_TOKEN: 'canary-of-the-session-token',
      NPM_TOKEN: 'canary-of-another-token',
    };

    const { status, stderr } = synthesize(ARNS, canaries);

    expect(stderr).toBe('');
    expect(status).toBe(0);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    expect(
      files
        .filter((file) => /asset\.\w+\/\w[\w-]*\.mjs$/.test(file))
        .map(nameOf)
        .sort(),
    ).toEqual([
      'default-credentials.mjs',
      'dynamodb.mjs',
      'index.mjs',
      'otlp.mjs',
      'powertools.mjs',
      'stacks.mjs',
      'tracing.mjs',
    ]);
    expect(files.map(nameOf)).toContain('AgentStream-dev.template.json');
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      expect(Object.values(canaries).filter((canary) => text.includes(canary))).toEqual([]);
    }
  },
  LIMIT_MS,
);

const nameOf = (file: string) => file.split('/').at(-1);

test(
  'an unknown context key is reported, and does not stop the synthesis',
  () => {
    const { status, stderr } = synthesize({ ...ARNS, origins: 'https://a.example.com' }, UNVALIDATED);

    expect(stderr).toContain('unknown context key "origins" is ignored: did you mean "allowedOrigins"?');
    expect(status).toBe(0);
  },
  LIMIT_MS,
);

test(
  'a finding of cdk-nag stops the synthesis',
  () => {
    const finding = pathToFileURL(join(root, 'test/fixtures/finding.mjs')).href;

    const { status, stderr } = synthesize(ARNS, UNVALIDATED, ['--import', finding]);

    expect(stderr).toMatch(/AwsSolutions-SNS3/);
    expect(status).not.toBe(0);
  },
  LIMIT_MS,
);

test(
  'a wrong value fails with one line that says what to change',
  () => {
    const { status, stderr } = synthesize({ mwcAgentArn: ARNS.mwcAgentArn, auth: 'none' });

    expect(stderr).toMatch(/^error: auth=none needs allowedOrigins: .*\n$/);
    expect(status).toBe(1);
  },
  LIMIT_MS,
);

test(
  'the README’s line to bootstrap comes as far as to the account, for which it needs credentials',
  () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const [, args = ''] = /^ {4}npx cdk (bootstrap .*)$/m.exec(readme) ?? [];
    expect(args).toBe('bootstrap -c onboardingAgentArn="$AGENT_ARN"');

    const { stderr } = run(
      [
        'node_modules/aws-cdk/bin/cdk',
        ...['bootstrap', '-c', `onboardingAgentArn=${ARNS.onboardingAgentArn}`],
        ...['--output', folder, '--no-notices'],
      ],
      { ...UNVALIDATED, CDK_DISABLE_CLI_TELEMETRY: 'true' },
    );

    expect(stderr).toMatch(/Unable to resolve AWS account to use/);
    expect(stderr).not.toMatch(/no agent is configured|Subprocess exited/);
  },
  LIMIT_MS,
);

test(
  'the constructs can be required by a CommonJS app',
  () => {
    const program = `
      const names = ['streaming-function', 'observability', 'agent-stream-stack'];
      console.log(names.flatMap((name) => Object.keys(require('./lib/' + name + '.ts'))).sort().join());
    `;

    const { status, stdout } = run(['--input-type=commonjs', '--eval', program]);

    expect(stdout.trim()).toBe('AgentStreamFunction,AgentStreamObservability,AgentStreamStack');
    expect(status).toBe(0);
  },
  LIMIT_MS,
);

test('what lib/ imports is installed with it, not only where it is developed', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const imported = readdirSync(join(root, 'lib')).flatMap((file) =>
    [...readFileSync(join(root, 'lib', file), 'utf8').matchAll(/ from '([^.'][^']*)'/g)].map(
      ([, name = '']) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'),
    ),
  );

  expect([...new Set(imported)].filter((name) => !name.startsWith('node:')).sort()).toEqual([
    'aws-cdk-lib',
    'constructs',
    'esbuild',
  ]);
  expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(['aws-cdk-lib', 'constructs', 'esbuild']));
});
