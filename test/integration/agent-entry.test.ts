import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, type Step, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse } from '../fixtures/sse.ts';

/** What an agent's entry says of its messages, by the agent's id. */
const ENTRIES = {
  plain: {},
  framing: { framing: 'text' },
  'end-marker': { endMarker: 'message_stop' },
  'text-path': { textPath: 'event.delta.text' },
  structured: { structured: 'drop' },
  endpoint: { qualifier: 'canary', qualifiers: ['canary'] },
};

let puppet: PuppetAgent;
let system: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  system = await startSystem({
    runtimes: Object.entries(ENTRIES).map(([id, entry], i) => ({
      id,
      name: `Agent${i}`,
      runtimeArn: `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Agent${i}-0123456789`,
      target: puppet.target,
      ...entry,
    })),
    environment: { IDLE_TIMEOUT_MS: '1000' },
  });
});
afterAll(async () => {
  await system.close();
  await puppet.close();
});

const send = (message: unknown): Step => ({ send: JSON.stringify(message) });
const end: Step = { send: '[DONE]' };

test.each<[id: keyof typeof ENTRIES, said: Step[], text: string, without: string]>([
  ['framing', [send({ chunk: 'a' }), end], '{"chunk":"a"}', 'a'],
  ['text-path', [send({ event: { delta: { text: 'a' } } }), end], 'a', '{"event":{"delta":{"text":"a"}}}'],
  ['structured', [send({ chunk: 'a' }), send({ step: 1 }), end], 'a', 'a{"step":1}'],
])('%s of an agent decides how its messages are read', async (id, said, text, without) => {
  const prompt = script(...said);

  const answer = await invokeSse(system.url, { agentId: id, prompt });
  const otherwise = await invokeSse(system.url, { agentId: 'plain', prompt });

  expect([answer.text, answer.last.done]).toEqual([text, true]);
  expect([otherwise.text, otherwise.last.done]).toEqual([without, true]);
});

test('end-marker of an agent ends its answer', async () => {
  const prompt = script(send({ chunk: 'a' }), send({ type: 'message_stop' }), { sleepMs: 60_000 });

  const answer = await invokeSse(system.url, { agentId: 'end-marker', prompt });
  const otherwise = await invokeSse(system.url, { agentId: 'plain', prompt });

  expect([answer.text, answer.last.done]).toEqual(['a', true]);
  expect(otherwise.last).toMatchObject({ code: 'AgentTimeout' });
});

test('the name of its endpoint is listed', async () => {
  const { agents } = (await (await fetch(`${system.url}/api/agents/list`)).json()) as {
    agents: { id: string; aliasId: string }[];
  };

  expect(agents.map(({ id, aliasId }) => [id, aliasId])).toEqual(
    Object.keys(ENTRIES).map((id) => [id, id === 'endpoint' ? 'canary' : 'DEFAULT']),
  );
});
