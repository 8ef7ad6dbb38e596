import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, matchesGlob } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ServerProcess, startServerProcess } from '../../local/aws/server-process.ts';

const root = join(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
/** What ends up in the image: the instructions after the last FROM. */
const image = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

/** The words of an instruction, a JSON array or plain text. */
function instruction(name: string): string[] {
  const [, text = ''] = new RegExp(`^${name} (.*)$`, 'm').exec(image) ?? [];
  const json = /\[.*\]$/.exec(text)?.[0];
  return json ? (JSON.parse(json) as string[]) : text.split(' ');
}

let folder: string;
let server: ServerProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'image-'));
});
afterEach(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

/** The image's files in a folder of their own, and its command run there. */
async function run(): Promise<ServerProcess> {
  const [from = '', to] = instruction('COPY').slice(-2);
  expect(to).toBe(instruction('WORKDIR')[0]);
  cpSync(join(root, from.replace('/project/', '')), folder, { recursive: true });
  const [entry = '', ...more] = instruction('CMD');
  expect(more).toEqual([]);
  server = await startServerProcess({
    folder,
    entry,
    environment: {
      AGENTS: JSON.stringify([
        {
          id: 'nobody',
          name: 'NobodyAgent',
          runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Nobody-0123456789',
        },
      ]),
    },
  });
  return server;
}

test('the image has all that its command needs, and writes nothing beside it', async () => {
  const { url } = await run();
  const before = readdirSync(folder, { recursive: true });

  const health = await fetch(`${url}/health`);
  const stack = await fetch(`${url}/api/stacks/status/x`);

  expect(health.status).toBe(200);
  expect(stack.status).toBe(404);
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
});

test('its health check tells a server that answers from one that does not', async () => {
  const { url } = await run();
  const [, ...args] = instruction('HEALTHCHECK .* CMD');
  const check = (port: string) =>
    spawnSync(process.execPath, args, { env: { PATH: process.env.PATH, PORT: port } }).status;

  expect(check(new URL(url).port)).toBe(0);
  expect(check('9')).toBe(1);
});

test('it is not run as root, and has no file of the project but the bundles', () => {
  const copies = image.match(/^(COPY|ADD) .*$/gm);

  expect(instruction('USER')).toEqual(['nonroot']);
  expect(copies).toHaveLength(1);
});

test('what is left out of the build is not part of the project', () => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').trim().split('\n');
  const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n');

  for (const name of ignored) expect(tracked.filter((file) => matchesGlob(file, `${name}/**`))).toEqual([]);
  expect(ignored.some((name) => matchesGlob('test/kits/node_modules/vite/package.json', `${name}/**`))).toBe(
    true,
  );
});
