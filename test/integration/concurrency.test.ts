import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ENV } from '../../lambda/contract.ts';
import { type DataPlane, startDataPlane } from '../../local/aws/data-plane.ts';
import { LOCAL_CREDENTIALS } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const program = join(import.meta.dirname, '../fixtures/concurrent-runtime.ts');

let puppet: PuppetAgent;
let dataPlane: DataPlane;
let child: ChildProcess;
let url: string;
let upgradesBefore = 0;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  dataPlane = await startDataPlane({
    runtimes: [{ runtimeArn, target: puppet.target }],
    credentials: [LOCAL_CREDENTIALS],
    quotas: { maxFramesPerSecond: Number.POSITIVE_INFINITY },
  });
  child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      [ENV.AGENTS]: JSON.stringify([{ id: 'puppet', name: 'PuppetAgent', runtimeArn }]),
      [ENV.ENDPOINT_URL]: dataPlane.url,
      AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
      AWS_SESSION_TOKEN: LOCAL_CREDENTIALS.sessionToken,
    },
  });
  url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(String(message)));
    child.once('exit', (code) => reject(new Error(`it exited with code ${code}`)));
  });
});
beforeEach(() => {
  upgradesBefore = dataPlane.upgrades;
});
afterAll(async () => {
  child.kill('SIGKILL');
  await dataPlane.close();
  await puppet.close();
});

const upgrades = () => dataPlane.upgrades - upgradesBefore;
const ask = (prompt: string, sessionId = newSessionId()) =>
  invokeSse(url, { agentId: 'puppet', prompt, sessionId });
const connectionsOf = (sessionId: string) =>
  [...dataPlane.connections].filter((connection) => connection.sessionId === sessionId);
const counting = (letter: string) =>
  script({ send: `${letter}{i} `, times: 20, everyMs: 30 }, { send: '[DONE]' });
const counted = (letter: string) => Array.from({ length: 20 }, (_, i) => `${letter}${i} `).join('');

test('two sessions in one process are answered at the same time, chunk by chunk', async () => {
  const answers = await Promise.all([ask(counting('a')), ask(counting('b'))]);

  expect(answers.map(({ text }) => text)).toEqual([counted('a'), counted('b')]);
  const arrivals = answers
    .flatMap(({ events }) => events.slice(1, -1))
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ data }) => String(data.chunk)[0]);
  const turns = arrivals.filter((letter, i) => letter !== arrivals[i - 1]).length;
  // One after the other would be two turns, chunk by chunk is forty.
  expect(turns).toBeGreaterThan(6);
});

test('two requests of one session in one process have a connection each, of which one is kept', async () => {
  const sessionId = newSessionId();

  const answers = await Promise.all([ask(counting('a'), sessionId), ask(counting('b'), sessionId)]);
  await until(() => connectionsOf(sessionId).length === 1, 'one of them is left');
  const next = await ask(counting('c'), sessionId);

  expect(answers.map(({ text }) => text)).toEqual([counted('a'), counted('b')]);
  expect(answers.map(({ last }) => last)).toEqual(Array(2).fill(expect.objectContaining({ done: true })));
  expect(next.text).toBe(counted('c'));
  expect(upgrades()).toBe(2);
});

test('a turn of a session that has a kept connection leaves another at the same time to its own', async () => {
  const sessionId = newSessionId();
  await ask(counting('a'), sessionId);

  const answers = await Promise.all([ask(counting('b'), sessionId), ask(counting('c'), sessionId)]);

  expect(answers.map(({ text }) => text)).toEqual([counted('b'), counted('c')]);
  expect(upgrades()).toBe(2);
});

test('a reader that takes nothing holds up its own answer alone', async () => {
  const [bytes, times] = [50_000, 600];
  const prompt = script({ send: 'x'.repeat(bytes), times }, { send: '[DONE]' });
  const body = JSON.stringify({ agentId: 'puppet', prompt });
  const response = await fetch(url, { method: 'POST', body });
  const isHeldUp = () => [...puppet.open].some(({ bufferedAmount }) => bufferedAmount > 0);
  await until(isHeldUp, 'the agent cannot get rid of its messages');
  await new Promise((resolve) => setTimeout(resolve, 300));

  const other = await ask(counting('a'));
  const heldUp = isHeldUp();
  const answer = await response.text();

  expect(other.text).toBe(counted('a'));
  expect(heldUp).toBe(true);
  const chunks = [...answer.matchAll(/^data: \{"chunk":"(x+)"\}$/gm)].map(([, text = '']) => text.length);
  expect(chunks.reduce((sum, length) => sum + length)).toBe(bytes * times);
  expect(answer).toMatch(/data: \{"done":true.*\}\n\n$/);
});
