import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import { invokeSse } from '../fixtures/sse.ts';

const root = join(import.meta.dirname, '../..');
const file = join(root, 'dist', 'docs-agent.ts');
let agent: ChildProcess | undefined;
let system: System | undefined;

afterEach(async () => {
  agent?.kill('SIGKILL');
  await system?.close();
  rmSync(file, { force: true });
});

test('the TypeScript agent of docs/agents.md is reachable', async () => {
  const [, source = ''] =
    /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/agents.md'), 'utf8')) ?? [];
  writeFileSync(file, source);
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
  agent = spawn(process.execPath, [file], { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' });
  const target = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${target}/ping`).catch(() => undefined)))
    await new Promise((resolve) => setTimeout(resolve, 50));
  system = await startSystem({
    runtimes: [
      {
        id: 'docs',
        name: 'DocsAgent',
        runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Docs-0123456789',
        target,
      },
    ],
  });

  const answer = await invokeSse(system.url, { agentId: 'docs', prompt: 'hello there' });

  expect(answer.text).toBe('You said: hello there');
  expect(answer.last).toMatchObject({ done: true, chunks: 4 });
});
