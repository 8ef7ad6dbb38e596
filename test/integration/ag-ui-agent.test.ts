import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type System, startSystem } from '../../local/system.ts';
import { type AgUiAgent, startAgUiAgent } from '../fixtures/ag-ui-agent.ts';
import { invokeSse, newSessionId } from '../fixtures/sse.ts';

let agent: AgUiAgent;
let system: System;

beforeAll(async () => {
  agent = await startAgUiAgent();
  const runtime = (id: string, entry: object) => ({
    id,
    name: id,
    runtimeArn: `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${id}-0123456789`,
    target: agent.target,
    ...entry,
  });
  system = await startSystem({
    runtimes: [
      runtime('asks', { dialect: 'ag-ui', payload: 'merge' }),
      runtime('strict', { dialect: 'ag-ui' }),
      runtime('unnamed', {}),
    ],
  });
});
afterAll(async () => {
  await system.close();
  await agent.close();
});

test('an agent asks, and its question is answered with the next prompt of the session', async () => {
  const sessionId = newSessionId();
  const resume = [{ interruptId: 'q1', status: 'resolved', payload: { approved: true } }];

  const asked = await invokeSse(system.url, { agentId: 'asks', prompt: 'add', sessionId });
  const answered = await invokeSse(system.url, {
    agentId: 'asks',
    prompt: 'yes',
    sessionId,
    payload: { resume, threadId: 'of somebody else' },
  });

  const question = { id: 'q1', reason: 'confirmation', payload: { message: 'Shall I add?' } };
  expect(asked.events.map(({ data }) => data)).toContainEqual({ interrupt: question });
  expect([asked.text, asked.last]).toMatchObject(['Wait.', { done: true, interrupted: true }]);
  expect([answered.text, answered.last.interrupted]).toEqual(['approved: true', undefined]);
  const [first, second] = agent.inputs.slice(-2);
  expect(first).toMatchObject({
    threadId: sessionId,
    runId: asked.events[0]?.data.requestId,
    messages: [{ role: 'user', content: 'add' }],
  });
  expect(second).toMatchObject({ threadId: sessionId, resume, messages: [{ role: 'user', content: 'yes' }] });
});

test('as JSON the question stands in the document', async () => {
  const response = await fetch(`${system.url}/api/agents/invoke`, {
    method: 'POST',
    body: JSON.stringify({ agentId: 'asks', prompt: 'add' }),
  });

  expect(await response.json()).toMatchObject({
    response: 'Wait.',
    interrupt: { id: 'q1', reason: 'confirmation' },
  });
});

test('where the entry does not allow it, an answer in the payload is refused by name', async () => {
  const response = await fetch(system.url, {
    method: 'POST',
    body: JSON.stringify({ agentId: 'strict', prompt: 'yes', payload: { resume: [] } }),
  });

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ details: { fields: ['payload'] } });
});

test('an entry that does not name the dialect sends what such an agent refuses', async () => {
  const { status, raw } = await invokeSse(system.url, { agentId: 'unnamed', prompt: 'add' });

  expect(status).toBe(502);
  const hint = expect.stringMatching(/"dialect": "ag-ui".*"input"/);
  expect(JSON.parse(raw)).toMatchObject({ error: 'AgentInterrupted', details: { hint } });
});
