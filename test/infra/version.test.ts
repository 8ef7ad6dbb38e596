import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectVersion } from '../../lib/version.ts';

let folder: string;
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=Someone', '-c', 'user.email=someone@example.com', ...args], {
    cwd: folder,
    encoding: 'utf8',
  }).trim();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'version-'));
  writeFileSync(join(folder, 'package.json'), '{"version": "1.2.3"}');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('is that of the package alone where there is no repository', () => {
  expect(projectVersion(folder)).toBe('1.2.3');
});

test('names the commit, whatever is tagged, and says when the files are not those of it', () => {
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'Begin');
  git('tag', 'v1');
  const commit = git('rev-parse', 'HEAD').slice(0, 12);

  expect(projectVersion(folder)).toBe(`1.2.3 (${commit})`);
  writeFileSync(join(folder, 'package.json'), '{"version": "1.2.4"}');
  expect(projectVersion(folder)).toBe(`1.2.4 (${commit}-dirty)`);
});

test('of an installed package is what its manifest says, not the commit of the app around it', () => {
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'Begin');
  const installed = join(folder, 'node_modules', 'agentcore-stream');
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(installed, 'package.json'), '{"version": "1.2.3"}');

  expect(projectVersion(installed)).toBe('1.2.3');
  writeFileSync(join(installed, 'package.json'), '{"version": "1.2.3", "gitHead": "1a2b3c4d5e6f"}');
  expect(projectVersion(installed)).toBe('1.2.3 (1a2b3c4d5e6f)');
});
