import { afterEach, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';

let puppet: PuppetAgent;
let system: System;
afterEach(async () => {
  await system?.close();
  await puppet?.close();
});

const counts = () =>
  system.logs
    .filter(({ line }) => line.includes('"StreamsWaiting"'))
    .map(({ line }) => JSON.parse(line) as Record<string, number | string>);
const isIdle = () => system.runtime.environments.every(({ state }) => state === 'idle');

test('an answer that does not begin is told while it hangs, and nothing more once it is over', async () => {
  puppet = await startPuppetAgent();
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    environment: { IN_FLIGHT_INTERVAL_MS: '100', FIRST_CHUNK_TIMEOUT_MS: '1000' },
  });

  const { status } = await invokeSse(system.url, {
    agentId: 'puppet',
    prompt: script({ sleepMs: 60_000 }),
  });
  await until(isIdle, 'the environment is idle');
  const told = counts();
  await invokeSse(system.url, { agentId: 'puppet', prompt: script({ send: 'at once' }, { send: '[DONE]' }) });
  await until(isIdle, 'the environment is idle again');

  expect(status).toBe(504);
  // A document of the service and one of the agent, again and again.
  expect(told.length).toBeGreaterThanOrEqual(4);
  // On a busy machine the first count may come before the answer has waited for long enough.
  const waiting = told.filter(({ StreamsWaiting }) => StreamsWaiting === 1);
  expect(waiting).toContainEqual(expect.objectContaining({ service: 'agentcore-stream', StreamsOpen: 1 }));
  expect(waiting).toContainEqual(expect.objectContaining({ agent: 'puppet' }));
  const ages = told.flatMap(({ OldestStreamAge }) => OldestStreamAge ?? []);
  expect(ages).toEqual(ages.toSorted((a, b) => Number(a) - Number(b)));
  // On a busy machine the second answer is told of, too: it alone.
  const after = counts().slice(told.length);
  for (const { service, StreamsOpen, OldestStreamAge } of after.filter(({ agent }) => agent === undefined)) {
    expect({ service, StreamsOpen }).toEqual({ service: 'agentcore-stream', StreamsOpen: 1 });
    expect(OldestStreamAge).toBeLessThan(Number(ages.at(-1)));
  }
});
