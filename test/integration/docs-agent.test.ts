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

/** The agent of docs/agents.md, changed or as it is, in its own process, with the system in front of it. */
async function startAgent(change: (source: string) => string = (source) => source): Promise<System> {
  const [, source = ''] =
    /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/agents.md'), 'utf8')) ?? [];
  writeFileSync(file, change(source));
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
  return system;
}

test('the TypeScript agent of docs/agents.md is reachable', async () => {
  const { url } = await startAgent();

  const answer = await invokeSse(url, { agentId: 'docs', prompt: 'hello there' });

  expect(answer.text).toBe('You said: hello there');
  expect(answer.last).toMatchObject({ done: true, chunks: 4 });
});

test('it reports a failure of its model, and goes on', async () => {
  const { url } = await startAgent((source) =>
    source.replace(
      /(?=for \(const word of)/,
      "if (prompt === 'fail') throw new Error('the model is away'); ",
    ),
  );

  const failed = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ agentId: 'docs', prompt: 'fail' }),
  });
  const answer = await invokeSse(url, { agentId: 'docs', prompt: 'hello there' });

  expect(await failed.json()).toMatchObject({
    error: 'AgentFailed',
    details: { agentError: { message: 'Error: the model is away' } },
  });
  expect(answer.text).toBe('You said: hello there');
});
