import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** The tarballs, made as `npm run package` makes them. */
export function packed(out: string): { constructs: string; client: string } {
  const args = ['-r', './local/require-node.cjs', 'packages/package.ts', '--out', out];
  const [constructs = '', client = ''] = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n');
  return { constructs, client };
}

/** A folder of somebody else, outside this project, with nothing but what is installed into it. */
export interface FreshApp {
  readonly folder: string;
  install(...specs: string[]): void;
  write(file: string, content: string): void;
  /** Runs a file of it; the exit code and all that it printed. */
  run(file: string, env?: Record<string, string>): { status: number | null; output: string };
  /** Type-checks a file with the compiler that the app installed; what it complained of. */
  check(file: string, options: Record<string, unknown>): string;
  /** The packages that lie in its node_modules. */
  installed(): string[];
  remove(): void;
}

export function freshApp(): FreshApp {
  const folder = mkdtempSync(join(tmpdir(), 'fresh-app-'));
  const write = (file: string, content: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  };
  write('package.json', JSON.stringify({ name: 'fresh-app', private: true }));
  const run = (args: string[], env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder, CDK_OUTDIR: join(folder, 'cdk.out'), ...env },
    });
    return { status, output: stdout + stderr };
  };
  return {
    folder,
    write,
    install: (...specs) => {
      const args = ['i', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...specs];
      execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    },
    run: (file, env) => run([file], env),
    check: (file, compilerOptions) => {
      write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }));
      return run(['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit']).output;
    },
    installed: () =>
      readdirSync(join(folder, 'node_modules')).flatMap((name) =>
        name.startsWith('@')
          ? readdirSync(join(folder, 'node_modules', name)).map((inner) => `${name}/${inner}`)
          : name.startsWith('.')
            ? []
            : [name],
      ),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
