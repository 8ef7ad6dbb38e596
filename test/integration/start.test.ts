import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { until } from '../fixtures/sse.ts';

const root = join(import.meta.dirname, '../..');
let started: ChildProcess | undefined;

afterEach(() => {
  started?.kill('SIGKILL');
});

/** Starts what `npm start` starts, and waits for its one line. */
async function start(...args: string[]): Promise<{ child: ChildProcess; url: string; output: () => string }> {
  const child = spawn(process.execPath, ['local/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started = child;
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  await until(() => output.includes('\n'), 'it says something', 20_000);
  return { child, url: /^ready (http:\/\/\S+[^/])\n/.exec(output)?.[1] ?? '', output: () => output };
}

/** Every process below a process. */
function descendants(pid: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid=']).toString().trim().split('\n');
  const pairs = table.map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child = 0]) => [child, ...below(child)]);
  return below(pid);
}

function alive(pids: number[]): number[] {
  return pids.filter((pid) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}

const invoke = (url: string) =>
  fetch(url, { method: 'POST', body: JSON.stringify({ agentId: 'mwc', prompt: 'a static website' }) });

describe('npm start', () => {
  test.each([
    ['once', 1],
    ['twice', 2],
  ])('leaves no process behind when Ctrl-C is pressed %s while a stream runs', async (_how, times) => {
    const { child, url } = await start();
    const response = await invoke(url);
    await response.body?.getReader().read();
    const processes = descendants(child.pid ?? 0);
    expect(processes.length).toBeGreaterThanOrEqual(4);

    for (let i = 0; i < times; i += 1) child.kill('SIGINT');

    await until(() => child.exitCode !== null || child.signalCode !== null, 'it has ended');
    await until(() => alive(processes).length === 0, 'every process is gone');
  });

  test.each([
    [['--agent', 'onboarding'], /--agent: expected <id>=<url>/],
    [
      ['--agent', 'nobody=ws://127.0.0.1:1/ws'],
      /no agent "nobody": expected one of onboarding, provisioning, mwc/,
    ],
    [['--frobnicate'], /frobnicate/],
  ])('says what is wrong with %j', async (args, message) => {
    const { child, output } = await start(...args);

    await until(() => child.exitCode !== null, 'it has ended');
    expect(child.exitCode).toBe(1);
    expect(output()).toMatch(message);
  });

  test('puts a container of the developer in the place of an agent', async () => {
    const { startPuppetAgent, script } = await import('../fixtures/puppet-agent.ts');
    const puppet = await startPuppetAgent();
    const { url } = await start('--agent', `onboarding=${puppet.target.replace('http', 'ws')}/ws`);

    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify({
        agentId: 'onboarding',
        prompt: script({ send: 'from my container' }, { send: '[DONE]' }),
      }),
    });

    expect(await response.text()).toContain('{"chunk":"from my container"}');
    await puppet.close();
  });
});
