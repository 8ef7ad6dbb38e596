import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { streamAgent } from '../../client/stream-agent.ts';
import { type System, startSystem } from '../../local/system.ts';
import { invokeSse, newSessionId } from '../fixtures/sse.ts';

/** An agent of the Strands SDK, with a scripted model and tools that really run, behind the whole system. */
let system: System;

beforeAll(async () => {
  system = await startSystem({
    agents: { only: ['tools', 'onboarding'], tokenDelayMs: 0 },
    environment: { IDLE_TIMEOUT_MS: '10000' },
  });
});
afterAll(() => system?.close());

/** The events of an answer, neighbours of one type put together. */
async function ask(prompt: string, options: { sessionId?: string; payload?: Record<string, unknown> } = {}) {
  const seen: [type: string, said: unknown][] = [];
  for await (const event of streamAgent(system.url, { agentId: 'tools', prompt, ...options })) {
    const { type, ...fields } = event;
    const said =
      'delta' in fields ? fields.delta : 'text' in fields && type !== 'done' ? fields.text : fields;
    const last = seen.at(-1);
    if (last?.[0] === type && typeof said === 'string') last[1] += said;
    else seen.push([type, said]);
  }
  return seen;
}

test('a tool is called, really runs, and its result is in the answer', async () => {
  const sessionId = newSessionId();

  const events = await ask('what is 12 * 7?', { sessionId });

  expect(events).toEqual([
    ['start', expect.objectContaining({ sessionId, agentId: 'tools' })],
    ['reasoning', 'There is a calculation in it: I calculate.'],
    ['chunk', 'Let me look. '],
    ['toolCall', { id: 'call-1', name: 'calculator' }],
    ['toolInput', '{"left":12,"operator":"*","right":7}'],
    ['toolCallEnd', { id: 'call-1' }],
    ['usage', { inputTokens: expect.any(Number), outputTokens: expect.any(Number) }],
    ['toolResult', { id: 'call-1', output: { result: 84 }, isError: false }],
    ['chunk', 'The tool says: `{"result":84}`. That is all.'],
    ['usage', { inputTokens: expect.any(Number), outputTokens: expect.any(Number) }],
    ['done', expect.objectContaining({ text: 'Let me look. The tool says: `{"result":84}`. That is all.' })],
  ]);
});

test('a tool that fails says so', async () => {
  const events = await ask('what is 1 / 0?');

  const [, result] = events.find(([type]) => type === 'toolResult') ?? [];
  expect(result).toMatchObject({ isError: true, output: expect.stringContaining('divided by zero') });
  expect(events.at(-1)?.[0]).toBe('done');
});

test('a question ends the answer, and the reply to it goes on in the same session', async () => {
  const sessionId = newSessionId();

  const asked = await ask('delete site-logs', { sessionId });
  const [, question] = asked.find(([type]) => type === 'interrupt') ?? [];
  const { id } = question as { id: string };
  const interruptResponse = { interruptId: id, response: 'approve' };
  const replied = await ask('yes', { sessionId, payload: { interruptResponse } });

  expect(question).toMatchObject({ reason: 'Delete the bucket "site-logs" for good?' });
  expect(asked.at(-1)).toEqual(['done', expect.objectContaining({ interrupted: true })]);
  expect(replied).toContainEqual([
    'toolResult',
    { id: 'call-1', output: { name: 'site-logs', deleted: true }, isError: false },
  ]);
  expect(replied.at(-1)?.[1]).not.toHaveProperty('interrupted');
});

test('a JSON document has the text, the tokens and the question', async () => {
  const invoke = async (prompt: string) => {
    const body = JSON.stringify({ agentId: 'tools', prompt });
    const response = await fetch(`${system.url}/api/agents/invoke`, { method: 'POST', body });
    return (await response.json()) as Record<string, unknown>;
  };

  const calculated = await invoke('what is 2 + 3?');
  const asked = await invoke('delete site-content');

  expect(calculated).toMatchObject({
    response: 'Let me look. The tool says: `{"result":5}`. That is all.',
    metadata: { usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number) } },
  });
  expect(asked.interrupt).toMatchObject({
    id: expect.any(String),
    reason: expect.stringContaining('site-content'),
  });
});

test('further keys reach only an agent whose entry allows them', async () => {
  const answer = await fetch(system.url, {
    method: 'POST',
    body: JSON.stringify({ agentId: 'onboarding', prompt: 'x', payload: { admin: true } }),
  });

  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: 'BadRequest', details: { fields: ['payload'] } });
});

test('a session id that was none is replaced, and the caller and the log are told', async () => {
  const { events, headers } = await invokeSse(system.url, {
    agentId: 'tools',
    prompt: 'count this',
    sessionId: 'user@example.com',
  });

  expect(events[0]?.data).toMatchObject({ sessionReplaced: true, sessionId: headers.get('x-session-id') });
  const lines = system.logs
    .map(({ line }) => line)
    .filter((line) => line.includes(String(headers.get('x-session-id'))));
  expect(lines.every((line) => line.includes('"session_replaced":true'))).toBe(true);
  expect(lines.length).toBeGreaterThan(1);
});
