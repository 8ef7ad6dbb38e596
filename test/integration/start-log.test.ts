import { afterEach, expect, test } from '@jest/globals';
import { invokeSse, until } from '../fixtures/sse.ts';
import { onlyAgents, type Started, startCommand } from '../fixtures/start-command.ts';

let started: Started | undefined;
const ONBOARDING = onlyAgents('onboarding');

afterEach(() => started?.kill());

/** Starts with options, and lets an answer break off. */
async function brokenOff(...args: string[]) {
  started = await startCommand([...ONBOARDING, ...args]);
  const { requestId } = (await invokeSse(started.url, { agentId: 'onboarding', prompt: 'break off' })).last;
  await until(() => started?.output().includes(String(requestId)) === true, 'the log says so');
  return { requestId, output: started.output };
}

test('says in words that an answer broke off, and nothing of what went well', async () => {
  const { requestId, output } = await brokenOff();

  const lines = output().split('\n');
  expect(lines.filter((line) => line.includes('ERROR'))).toEqual([
    expect.stringMatching(
      `ERROR Answer interrupted, AgentInterrupted, agent onboarding: .+ \\(${String(requestId)}\\)$`,
    ),
  ]);
  expect(output()).not.toMatch(/session_id|_aws/);
});

test('with --log json prints every line of the log as it is, with the session, and the metrics', async () => {
  const { requestId, output } = await brokenOff('--log', 'json');
  await until(() => output().includes('"Answer interrupted"'), 'the last line is there');
  await until(() => output().includes('"_aws"'), 'the metrics are there');

  const lines = output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const ofRequest = lines.filter((line) => line.function_request_id === requestId && 'message' in line);
  expect(ofRequest.map(({ message }) => message)).toEqual(
    expect.arrayContaining(['Request', 'Answer interrupted']),
  );
  expect(ofRequest.find(({ message }) => message === 'Answer interrupted')).toMatchObject({
    outcome: 'AgentInterrupted',
    session_id: expect.stringMatching(/^[\w-]{33,}$/),
  });
});

test('refuses another form of the log, and says which there are', async () => {
  started = await startCommand(['--log', 'xml']);

  expect(started.url).toBe('');
  expect(started.output()).toBe('--log: expected words or json, got "xml"\n');
});
