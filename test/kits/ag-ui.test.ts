import type { HttpAgent } from '@ag-ui/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { script } from '../fixtures/puppet-agent.ts';
import { AG_UI_RELEASES } from './clients.ts';
import { describedFetch } from './described.ts';
import { agUiAnswer, DONE, type KitSystem, STRANDS_ANSWER, say, startKitSystem } from './kit-system.ts';

let kits: KitSystem;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', onRejection);
  kits = await startKitSystem();
});
afterAll(async () => {
  await kits?.close();
  process.off('unhandledRejection', onRejection);
  expect(rejections).toEqual([]);
});

const described = describedFetch('/api/agents/{agentId}/ag-ui');
const sessions = () => kits.puppet.prompts.map(({ sessionId }) => sessionId);
const user = (content: string) => ({ id: crypto.randomUUID(), role: 'user' as const, content });

describe.each(Object.entries(AG_UI_RELEASES))('@ag-ui/client %s', (_name, release) => {
  const startAgent = (url = kits.url, threadId?: string) =>
    new release.HttpAgent({ url: `${url}/ag-ui`, ...(threadId && { threadId }), fetch: described.fetch });
  afterEach(async () => {
    expect(await described.faults()).toEqual([]);
  });
  beforeEach(() => {
    kits.puppet.prompts.length = 0;
  });

  /** Asks, and returns the errors that the run told of. */
  async function ask(
    agent: HttpAgent,
    content: string,
    parameters: object = {},
  ): Promise<(string | undefined)[]> {
    const codes: (string | undefined)[] = [];
    agent.addMessage(user(content));
    await agent.runAgent(parameters, { onRunErrorEvent: ({ event }) => void codes.push(event.code) });
    return codes;
  }

  test('shows thoughts, a tool with its result, and text', async () => {
    const agent = startAgent();

    const errors = await ask(agent, script(...STRANDS_ANSWER));

    expect(errors).toEqual([]);
    expect(agent.messages.slice(1)).toMatchObject([
      { role: 'reasoning', content: 'I should add.' },
      {
        role: 'assistant',
        toolCalls: [{ id: 'tooluse_1', function: { name: 'add', arguments: '{"a":1,"b":2}' } }],
      },
      { role: 'tool', toolCallId: 'tooluse_1' },
      { role: 'assistant', content: 'It is 3.' },
    ]);
  });

  test.each([undefined, 'main'])('goes on in the session of the first turn: thread %s', async (threadId) => {
    const agent = startAgent(kits.url, threadId);

    await ask(agent, script(say('one'), DONE));
    await ask(agent, script(say('two'), DONE));

    expect(agent.messages.map(({ content }) => content)).toEqual([
      expect.anything(),
      'one',
      expect.anything(),
      'two',
    ]);
    expect(sessions()).toEqual([sessions()[0], sessions()[0]]);
    if (threadId === undefined) expect(sessions()[0]).toBe(agent.threadId);
  });

  test('keeps two pages apart whose threads have the same short id', async () => {
    for (const agent of [startAgent(kits.url, 'main'), startAgent(kits.url, 'main')]) {
      await ask(agent, script(say('x'), DONE));
    }

    expect(new Set(sessions()).size).toBe(2);
  });

  test('rejects with an error before the answer', async () => {
    const asking = ask(startAgent(), script({ send: '{"type":"error","message":"no model"}' }));

    await expect(asking).rejects.toThrow(/^HTTP 502: The agent reported an error: no model\. /);
  });

  test('tells of an error within the answer, and keeps the text so far', async () => {
    const agent = startAgent();

    const errors = await ask(agent, script(say('half'), { drop: true }));

    expect(errors).toEqual(['AgentInterrupted']);
    expect(agent.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'half' });
  });

  test('does not mind a silence', async () => {
    const agent = startAgent();

    const errors = await ask(agent, script(say('a'), { sleepMs: 350 }, say('b'), DONE));

    expect([errors, agent.messages.at(-1)?.content]).toEqual([[], 'ab']);
  });

  test('is answered empty where CopilotKit asks for suggestions', async () => {
    const agent = startAgent();

    const errors = await ask(agent, 'hi', {
      forwardedProps: { toolChoice: { type: 'function', function: { name: 'copilotkitSuggest' } } },
    });

    expect(errors).toEqual([]);
    expect(agent.messages).toHaveLength(1);
    expect(sessions()).toEqual([]);
  });

  test('gets state, steps, activities and custom events of an agent that speaks AG-UI', async () => {
    const agent = startAgent();
    const seen: string[] = [];
    agent.addMessage(
      user(
        script(
          ...agUiAnswer(
            { type: 'STEP_STARTED', stepName: 'plan' },
            { type: 'STATE_SNAPSHOT', snapshot: { sum: 1 } },
            { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/sum', value: 3 }] },
            { type: 'ACTIVITY_SNAPSHOT', messageId: 'p', activityType: 'PLAN', content: { done: 1 } },
            { type: 'CUSTOM', name: 'progress', value: 50 },
            { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' },
            { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'done' },
            { type: 'TEXT_MESSAGE_END', messageId: 'm' },
            { type: 'STEP_FINISHED', stepName: 'plan' },
          ),
        ),
      ),
    );

    await agent.runAgent({}, { onEvent: ({ event }) => void seen.push(event.type) });

    expect(agent.state).toEqual({ sum: 3 });
    expect(seen).toEqual(
      expect.arrayContaining(['STEP_STARTED', 'CUSTOM', 'ACTIVITY_SNAPSHOT', 'STEP_FINISHED']),
    );
    expect(agent.messages).toContainEqual(
      expect.objectContaining({ role: 'activity', activityType: 'PLAN' }),
    );
    expect(agent.messages).toContainEqual(expect.objectContaining({ role: 'assistant', content: 'done' }));
  });

  test('hands history, state, tools and context to an agent that reads them, and runs tools for it', async () => {
    const agent = startAgent(kits.runUrl);
    const tool = { name: 'pick', description: 'Picks a colour', parameters: { type: 'object' } };
    const context = [{ description: 'page', value: 'colours' }];
    agent.setState({ colour: 'none' });

    await ask(
      agent,
      script(
        ...agUiAnswer(
          { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: 'pick' },
          { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '{}' },
          { type: 'TOOL_CALL_END', toolCallId: 'c1' },
        ),
      ),
      { tools: [tool], context },
    );
    agent.addMessage({ id: 'result', role: 'tool', toolCallId: 'c1', content: 'blue' });
    const before = agent.messages.map(({ role }) => role);
    await agent.runAgent({ tools: [tool], context });

    const [first, second] = kits.puppet.prompts;
    expect(first).toMatchObject({ state: { colour: 'none' }, tools: [tool], context });
    expect(before).toEqual(['user', 'assistant', 'tool']);
    expect(second?.messages).toHaveLength(3);
  });

  test('is told of an interrupt, and hands the reply on', async () => {
    const agent = startAgent(kits.runUrl);
    const outcomes: unknown[] = [];
    const interrupt = { id: 'i1', reason: 'approval', message: 'Sure?' };
    const steps = agUiAnswer().slice(0, 1);
    const end = {
      type: 'RUN_FINISHED',
      threadId: 't',
      runId: 'r',
      outcome: { type: 'interrupt', interrupts: [interrupt] },
    };
    agent.addMessage(user(script(...steps, { send: JSON.stringify(end) })));

    await agent.runAgent({}, { onRunFinishedEvent: ({ event }) => void outcomes.push(event.outcome) });
    const resume = [{ interruptId: 'i1', status: 'resolved' as const, payload: 'yes' }];
    await agent.runAgent({ resume });

    expect(outcomes).toEqual([
      { type: 'interrupt', interrupts: [expect.objectContaining({ id: 'i1', reason: 'approval' })] },
    ]);
    expect(kits.puppet.prompts[1]).toMatchObject({ resume });
  });
});
