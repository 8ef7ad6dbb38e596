import { EventSchemas } from '@ag-ui/core/schemas';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventsOf } from '../fixtures/written-answer.ts';
import { describeAnswers, describeCut } from './answers.ts';
import { type Framework, startFramework } from './framework.ts';

let framework: Framework;

beforeAll(async () => {
  framework = await startFramework('ag-ui', {
    run: { dialect: 'ag-ui', payload: 'merge' },
    unnamed: {},
  });
});
afterAll(() => framework?.close());

describeAnswers('run', () => framework, { steps: true, usage: true, toolErrors: false });
describeCut(['run'], () => framework);

test('state reaches a reader as data, by its own names', async () => {
  const { events } = await framework.ask('run', 'what is 12 * 7?');

  const data = events.filter(([type]) => type === 'data').map(([, said]) => said);
  expect(data).toEqual([
    { name: 'STATE_SNAPSHOT', value: expect.objectContaining({ snapshot: { calculations: 0 } }) },
    {
      name: 'STATE_DELTA',
      value: expect.objectContaining({ delta: [{ op: 'replace', path: '/calculations', value: 1 }] }),
    },
  ]);
});

test.each([true, false])('an interrupt asks the user, and the run goes on with %j', async (approved) => {
  const { ask } = framework;

  const asked = await ask('run', 'delete old-backups');
  const { sessionId } = asked;
  const [, question] = asked.events.find(([type]) => type === 'interrupt') ?? [];
  const { id: interruptId } = question as { id: string };
  const resume = [{ interruptId, status: 'resolved', payload: { approved } }];
  const replied = await ask('run', 'my reply', { sessionId, payload: { resume } });

  expect(question).toMatchObject({ reason: 'tool_call', payload: { message: 'Delete it?' } });
  expect(asked.events.at(-1)).toEqual(['done', expect.objectContaining({ interrupted: true })]);
  expect(replied.text).toBe(`It says ${approved ? 'deleted' : 'kept'}.`);
  expect(replied.events.at(-1)?.[1]).not.toHaveProperty('interrupted');
});

test('an entry without the dialect is told which of its keys is missing', async () => {
  const { error } = await framework.ask('unnamed', 'hello there');

  expect(error).toMatchObject({ code: 'AgentInterrupted', partialText: '' });
  expect(error?.details.hint).toMatch(/"dialect": "ag-ui".*"input"/);
});

describe('POST /api/agents/run/ag-ui', () => {
  const user = (content: string) => ({ id: 'u1', role: 'user', content });

  /** Runs with a RunAgentInput; each event is one that AG-UI's own schema accepts. */
  async function run(more: object): Promise<Record<string, unknown>[]> {
    const response = await fetch(`${framework.system.url}/api/agents/run/ag-ui`, {
      method: 'POST',
      headers: { accept: 'text/event-stream' },
      body: JSON.stringify({
        threadId: 'thread',
        runId: 'run',
        state: {},
        messages: [],
        tools: [],
        context: [],
        forwardedProps: {},
        ...more,
      }),
    });
    const events = eventsOf((await response.text()).replace(/^:.*\n/gm, ''));
    for (const event of events) EventSchemas.parse(event);
    return events;
  }
  const typesOf = (events: Record<string, unknown>[]) => events.map(({ type }) => type);
  const saidBy = (events: Record<string, unknown>[]) =>
    events.map(({ type, delta }) => (type === 'TEXT_MESSAGE_CONTENT' ? delta : '')).join('');

  test('passes a run through, with its thoughts, tool, state and tokens', async () => {
    const events = await run({ messages: [user('what is 12 * 7?')], state: { of: 'the page' } });

    expect(saidBy(events)).toBe('Let me see. It says 84.');
    expect(typesOf(events)).toEqual(
      expect.arrayContaining([
        'RUN_STARTED',
        'REASONING_MESSAGE_CONTENT',
        'TOOL_CALL_START',
        'TOOL_CALL_ARGS',
        'TOOL_CALL_END',
        'TOOL_CALL_RESULT',
        'STATE_SNAPSHOT',
        'STATE_DELTA',
      ]),
    );
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'STATE_SNAPSHOT', snapshot: { of: 'the page', calculations: 0 } }),
    );
    expect(events.at(-1)).toMatchObject({ type: 'RUN_FINISHED', threadId: 'thread', runId: 'run' });
  });

  test('lets a tool of the page be called, and takes its result with the next run', async () => {
    const tools = [{ name: 'calculator', description: 'of the page', parameters: {} }];
    const question = user('what is 12 * 7?');

    const called = await run({ messages: [question], tools });
    const start = called.find(({ type }) => type === 'TOOL_CALL_START');
    const toolCallId = String(start?.toolCallId);
    const toolCall = { id: toolCallId, type: 'function', function: { name: 'calculator', arguments: '{}' } };
    const concluded = await run({
      runId: 'run-2',
      tools,
      messages: [
        question,
        { id: 'a1', role: 'assistant', toolCalls: [toolCall] },
        { id: 't1', role: 'tool', toolCallId, content: 'eighty-four' },
      ],
    });

    expect(typesOf(called)).not.toContain('TOOL_CALL_RESULT');
    expect(called.at(-1)?.type).toBe('RUN_FINISHED');
    expect(saidBy(concluded)).toBe('It says eighty-four.');
  });

  test('ends with the interrupt, and resumes from it', async () => {
    const asked = await run({ messages: [user('delete old-backups')] });
    const { outcome } = Object(asked.at(-1)) as { outcome?: { interrupts: { id: string }[] } };
    const interruptId = outcome?.interrupts[0]?.id;
    const resumed = await run({
      runId: 'run-2',
      messages: [user('delete old-backups')],
      resume: [{ interruptId, status: 'resolved', payload: { approved: true } }],
    });

    expect(interruptId).toEqual(expect.any(String));
    expect(saidBy(resumed)).toBe('It says deleted.');
  });

  test('ends a run that fails with RUN_ERROR', async () => {
    const events = await run({ messages: [user('fail half way')] });

    expect(saidBy(events)).toBe('Let me see. ');
    expect(events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'AgentFailed' });
  });
});
