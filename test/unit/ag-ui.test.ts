import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AnswerContext } from '../../lambda/answer/protocol.ts';
import { StreamError } from '../../lambda/errors.ts';
import type { ContentEvent } from '../../lambda/events.ts';
import { agUi } from '../../lambda/protocols/ag-ui.ts';
import { anyBody, outcomeOf } from '../fixtures/any-body.ts';
import { FUZZ } from '../fixtures/arbitraries.ts';
import { CONTEXT, eventsOf, writtenAnswer } from '../fixtures/written-answer.ts';

const SESSION = 'session-0123456789-0123456789-0123456789';
const OTHER_SESSION = 'other-session-0123456789-0123456789-0123';
const metadata = { sessionId: CONTEXT.sessionId };
const run = { threadId: 'thread', runId: 'run', messages: [], tools: [], context: [] };

const eventsIn = (events: ContentEvent[], context: Partial<AnswerContext> = {}) =>
  eventsOf(writtenAnswer(agUi, events, {}, { run, ...context }));
const read = (body: object, takesRun = false) =>
  agUi.readRequest(body as Record<string, unknown>, { maxPromptBytes: 20, takesRun: () => takesRun });
const user = (content: unknown) => ({ id: 'u', role: 'user', content });
const answer = { id: 'a', role: 'assistant', content: 'x', metadata: { sessionId: OTHER_SESSION } };
const data = (name: string, value: object): ContentEvent => ({
  type: 'data',
  name,
  value: { type: name, ...value },
  raw: '',
});

describe('an answer', () => {
  test('is a run of the caller’s thread, with messages that tell the session', () => {
    const events = eventsIn([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'Hi' },
    ]);

    const [thought, said] = ['request-1-1', 'request-1-2'];
    expect(events).toEqual([
      { type: 'RUN_STARTED', threadId: 'thread', runId: 'run' },
      { type: 'REASONING_START', messageId: thought },
      { type: 'REASONING_MESSAGE_START', messageId: thought, role: 'reasoning', metadata },
      { type: 'REASONING_MESSAGE_CONTENT', messageId: thought, delta: 'hm' },
      { type: 'REASONING_MESSAGE_END', messageId: thought },
      { type: 'REASONING_END', messageId: thought },
      { type: 'TEXT_MESSAGE_START', messageId: said, role: 'assistant', metadata },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: said, delta: 'Hi' },
      { type: 'TEXT_MESSAGE_END', messageId: said },
      { type: 'RUN_FINISHED', threadId: 'thread', runId: 'run' },
    ]);
  });

  test('to a caller without ids has the session and the request as its own', () => {
    const [started] = eventsIn([], { run: {} });

    expect(started).toMatchObject({ threadId: CONTEXT.sessionId, runId: CONTEXT.requestId });
  });

  test('attaches calls to what was said before them, and begins anew after a result', () => {
    const events = eventsIn([
      { type: 'text', text: 'a' },
      { type: 'toolCall', id: 't1', name: 'sum' },
      { type: 'toolInput', id: 't1', delta: '{}' },
      { type: 'toolResult', id: 't1', output: { b: 2 }, isError: true },
      { type: 'toolCall', id: 't2', name: 'sum' },
      { type: 'toolResult', id: 't2', output: 'ok', isError: false },
      { type: 'text', text: 'b' },
    ]);

    const call = { type: 'TOOL_CALL_START', toolCallName: 'sum', metadata };
    expect(events.slice(3, -1)).toEqual([
      { type: 'TEXT_MESSAGE_END', messageId: 'request-1-1' },
      { ...call, toolCallId: 't1', parentMessageId: 'request-1-1' },
      { type: 'TOOL_CALL_ARGS', toolCallId: 't1', delta: '{}' },
      { type: 'TOOL_CALL_END', toolCallId: 't1' },
      {
        type: 'TOOL_CALL_RESULT',
        messageId: 'request-1-2',
        toolCallId: 't1',
        content: '{"b":2}',
        role: 'tool',
        metadata: { isError: true },
      },
      { ...call, toolCallId: 't2', parentMessageId: 'request-1-3' },
      { type: 'TOOL_CALL_END', toolCallId: 't2' },
      { type: 'TOOL_CALL_RESULT', messageId: 'request-1-4', toolCallId: 't2', content: 'ok', role: 'tool' },
      { type: 'TEXT_MESSAGE_START', messageId: 'request-1-5', role: 'assistant', metadata },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'request-1-5', delta: 'b' },
      { type: 'TEXT_MESSAGE_END', messageId: 'request-1-5' },
    ]);
  });

  test('has a result of every call but those of the caller’s own tools and those that wait for the user', () => {
    const events = eventsIn(
      [
        { type: 'toolCall', id: 'a', name: 'ofTheAgent' },
        { type: 'toolCall', id: 'b', name: 'ofTheCaller' },
        { type: 'toolCall', id: 'c', name: 'ofTheAgent' },
        {
          type: 'interrupt',
          id: 'i',
          payload: { toolCallId: 'c', message: 'Sure?', more: 1, metadata: null },
        },
      ],
      { clientTools: ['ofTheCaller'] },
    );

    const results = events.filter(({ type }) => type === 'TOOL_CALL_RESULT');
    expect(results.map(({ toolCallId, content }) => ({ toolCallId, content }))).toEqual([
      { toolCallId: 'a', content: '' },
    ]);
    expect(events.at(-1)).toMatchObject({
      outcome: {
        type: 'interrupt',
        interrupts: [{ id: 'i', reason: 'input_required', toolCallId: 'c', message: 'Sure?' }],
      },
    });
  });

  test('gives a call another id where an earlier answer has one of its id', () => {
    const earlier = { id: 'a', role: 'assistant', toolCalls: [{ id: 'call', type: 'function' }] };

    const events = eventsIn([{ type: 'toolCall', id: 'call', name: 'x' }], {
      run: { ...run, messages: [earlier] },
    });

    expect(events[1]).toMatchObject({ type: 'TOOL_CALL_START', toolCallId: 'call-2' });
  });

  test.each([[[null, 'text', { toolCalls: 'none' }, { toolCalls: [null, 'text', { id: 5 }] }]], ['none']])(
    'takes no harm from earlier messages of any other form: %j',
    (messages) => {
      const events = eventsIn([{ type: 'toolCall', id: 'call', name: 'x' }], { run: { ...run, messages } });

      expect(events[1]).toMatchObject({ type: 'TOOL_CALL_START', toolCallId: 'call' });
    },
  );

  test('has an empty text as the result of a tool that returned nothing', () => {
    const events = eventsIn([{ type: 'toolResult', id: 't', output: undefined, isError: false }]);

    expect(events.find(({ type }) => type === 'TOOL_CALL_RESULT')).toMatchObject({ content: '' });
  });

  test('passes on what an agent of AG-UI sends beside it, without what a client may refuse', () => {
    const snapshot = { messages: [user('hi'), { id: 'a', role: 'assistant', content: 'x' }] };

    const events = eventsIn([
      data('STATE_SNAPSHOT', { snapshot: { a: 1 }, timestamp: 5, rawEvent: null, metadata: { m: 1 } }),
      data('STATE_DELTA', { delta: [{ op: 'add', path: '/a', value: null }] }),
      data('MESSAGES_SNAPSHOT', snapshot),
      data('ACTIVITY_SNAPSHOT', { messageId: 'm', activityType: 'PLAN', content: {}, replace: null }),
      data('ACTIVITY_DELTA', { messageId: 'm', activityType: 'PLAN', patch: [{ op: 'remove', path: '/a' }] }),
      data('CUSTOM', { name: 'n', value: null, subagentRunId: 's' }),
      data('RAW', { event: { x: 1 }, source: 'bedrock' }),
    ]);

    expect(events.slice(1, -1)).toEqual([
      { type: 'STATE_SNAPSHOT', snapshot: { a: 1 }, timestamp: 5, metadata: { m: 1 } },
      { type: 'STATE_DELTA', delta: [{ op: 'add', path: '/a', value: null }] },
      {
        type: 'MESSAGES_SNAPSHOT',
        messages: [user('hi'), { id: 'a', role: 'assistant', content: 'x', metadata }],
      },
      { type: 'ACTIVITY_SNAPSHOT', messageId: 'm', activityType: 'PLAN', content: {} },
      { type: 'ACTIVITY_DELTA', messageId: 'm', activityType: 'PLAN', patch: [{ op: 'remove', path: '/a' }] },
      { type: 'CUSTOM', name: 'n', value: null },
      { type: 'RAW', event: { x: 1 }, source: 'bedrock' },
    ]);
  });

  test.each<[string, object]>([
    ['STATE_DELTA', { delta: [{ op: 'add', path: '/a' }] }],
    ['STATE_DELTA', { delta: [{ op: 'toString', path: '/a' }] }],
    ['STATE_DELTA', { delta: 'x' }],
    ['MESSAGES_SNAPSHOT', { messages: [{ id: 'x', role: 'assistant', content: null }] }],
    ['MESSAGES_SNAPSHOT', { messages: [{ id: 'x', role: 'constructor', content: '' }] }],
    ['MESSAGES_SNAPSHOT', { messages: [{ id: 'x', role: 'assistant', toolCalls: [{ id: 'y' }] }] }],
    ['STEP_STARTED', {}],
    ['SUBAGENT_STARTED', { subagentRunId: 's' }],
    ['__proto__', {}],
  ])('has what breaks a client as a custom event: %s %j', (name, value) => {
    const [, event] = eventsIn([data(name, value)]);

    expect(event).toEqual({ type: 'CUSTOM', name, value: { type: name, ...value } });
  });

  test('begins and ends each step once', () => {
    const step = (type: string, stepName: string) => data(`STEP_${type}`, { stepName });

    const events = eventsIn([
      step('FINISHED', 'never'),
      step('STARTED', 'one'),
      step('STARTED', 'one'),
      step('FINISHED', 'one'),
      step('STARTED', 'open'),
      step('STARTED', 'open too'),
    ]);

    expect(events.slice(1, -1).map(({ type, stepName }) => `${type} ${stepName}`)).toEqual([
      'STEP_STARTED one',
      'STEP_FINISHED one',
      'STEP_STARTED open',
      'STEP_STARTED open too',
      'STEP_FINISHED open',
      'STEP_FINISHED open too',
    ]);
  });

  test('goes on in a new message where the agent’s history takes the place of the caller’s', () => {
    const events = eventsIn([
      { type: 'text', text: 'a' },
      { type: 'toolCall', id: 't', name: 'x' },
      data('MESSAGES_SNAPSHOT', { messages: [user('hi')] }),
      { type: 'toolResult', id: 't', output: 'ok', isError: false },
      { type: 'text', text: 'b' },
    ]);

    expect(events.slice(3, -1).map(({ type, messageId }) => [type, messageId].join(' ').trim())).toEqual([
      'TEXT_MESSAGE_END request-1-1',
      'TOOL_CALL_START',
      'TOOL_CALL_END',
      'MESSAGES_SNAPSHOT',
      'TOOL_CALL_RESULT request-1-2',
      'TEXT_MESSAGE_START request-1-3',
      'TEXT_MESSAGE_CONTENT request-1-3',
      'TEXT_MESSAGE_END request-1-3',
    ]);
  });

  test('has other data as a custom event, and tokens at its end', () => {
    const stream = writtenAnswer(agUi, [{ type: 'data', value: [1], raw: '[1]', inline: true }], {
      usage: { inputTokens: 1, outputTokens: 2 },
    });

    expect(eventsOf(stream).slice(1)).toEqual([
      { type: 'CUSTOM', name: 'data', value: [1] },
      expect.objectContaining({ type: 'RUN_FINISHED', usage: [{ inputTokens: 1, outputTokens: 2 }] }),
    ]);
  });

  test('that fails ends with the error, and nothing behind it', () => {
    const error = new StreamError('AgentInterrupted', 'the connection was lost');
    error.promptSent = true;

    const stream = writtenAnswer(agUi, [{ type: 'text', text: 'half' }], { error });

    expect(eventsOf(stream).at(-1)).toEqual({
      type: 'RUN_ERROR',
      message: expect.stringMatching(/^The connection was lost\. The agent may .* \(request request-1\)$/),
      code: 'AgentInterrupted',
      metadata: { ...metadata, requestId: 'request-1', retryable: false, promptSent: true },
    });
  });
});

describe('a request', () => {
  test.each([
    ['a text', 'hi'],
    [
      'text blocks',
      [
        { type: 'text', text: 'hi' },
        { type: 'image', source: {} },
      ],
    ],
  ])('may have %s as its last message', (_what, content) => {
    expect(read({ ...run, state: null, messages: [user(content)] })).toMatchObject({
      prompt: 'hi',
      promptBytes: 2,
      run: { threadId: 'thread' },
    });
  });

  test.each([
    [{ threadId: SESSION }, SESSION],
    [{ threadId: 'main' }, OTHER_SESSION],
    [{ threadId: 'main', forwardedProps: { sessionId: SESSION } }, SESSION],
    [{ threadId: OTHER_SESSION, sessionId: SESSION }, SESSION],
  ])('of %j goes on in the session %s', (ids, sessionId) => {
    const request = read({ ...run, messages: [user('a'), answer, user('b')], ...ids });

    expect(request).toMatchObject({ sessionId });
    expect(request.sessionReplaced).toBeUndefined();
  });

  test('finds the session in a call where the answer was nothing else', () => {
    const calling = {
      id: 'a',
      role: 'assistant',
      toolCalls: [{ id: 't', metadata: { sessionId: SESSION } }],
    };

    expect(read({ ...run, messages: [user('a'), calling, user('b')] }).sessionId).toBe(SESSION);
  });

  test('names agent and payload in the props that its client forwards', () => {
    const forwardedProps = { agentId: 'mwc', payload: { a: 1 } };

    expect(read({ ...run, messages: [user('a')], forwardedProps })).toMatchObject(forwardedProps);
  });

  test.each([
    [
      'suggestions',
      { messages: [user('a')], forwardedProps: { toolChoice: { function: { name: 'copilotkitSuggest' } } } },
    ],
    ['the result of a tool of the browser', { messages: [{ role: 'tool', content: '1', toolCallId: 't' }] }],
  ])('for %s has nothing to ask', (_what, body) => {
    expect(read({ ...run, ...body })).toMatchObject({ isIdle: true });
  });

  test('with the reply to an interrupt asks that', () => {
    const resume = [
      { interruptId: 'i', status: 'resolved', payload: 'yes' },
      { interruptId: 'j', status: 'resolved', payload: 1 },
      { interruptId: 'k', status: 'cancelled' },
    ];

    expect(read({ ...run, messages: [user('a'), answer], resume }).prompt).toBe('yes\n1\ncancelled');
  });

  test.each([
    ['the result of a tool', { messages: [{ role: 'tool', content: '1', toolCallId: 't' }] }],
    ['an image alone', { messages: [user([{ type: 'image', source: {} }])] }],
    [
      'the reply to an interrupt',
      { messages: [answer], resume: [{ interruptId: 'i', status: 'cancelled' }] },
    ],
  ])('for an agent that reads the run itself may be %s', (_what, body) => {
    const request = read({ ...run, tools: [{ name: 'ofTheCaller' }, null], ...body }, true);

    expect(request).toMatchObject({ clientTools: ['ofTheCaller'], run: body });
    expect(request.isIdle).toBeUndefined();
  });

  test('of any JSON is read, or refused with a session to answer in', () => {
    fc.assert(
      fc.property(anyBody, fc.boolean(), (body, takesRun) => {
        const read = outcomeOf(() =>
          agUi.readRequest(body, { maxPromptBytes: 20, takesRun: () => takesRun }),
        );

        expect(read.sessionId).toMatch(/^[A-Za-z0-9][\w-]{32,255}$/);
      }),
      FUZZ,
    );
  });

  test.each([
    [{ messages: undefined }, 'BadRequest', '"messages": expected an array, got nothing'],
    [{ messages: [] }, 'BadRequest', '"messages": expected a last message of the role "user", got nothing'],
    [
      { messages: [answer] },
      'BadRequest',
      '"messages": expected a last message of the role "user", got another',
    ],
    [
      { messages: [user('')] },
      'BadRequest',
      '"messages": expected a text in the last message, got an empty string',
    ],
    [
      { messages: [user('x'.repeat(21))] },
      'PayloadTooLarge',
      '"messages": expected at most 20 bytes of UTF-8, got 21',
    ],
  ])('%j is refused', (body, code, message) => {
    const refused = () => read({ ...run, ...body });

    expect(refused).toThrow(expect.objectContaining({ code, message }));
  });
});
