import { describe, expect, test } from '@jest/globals';
import type { ContentEvent } from '../../lambda/events.ts';
import { agUi } from '../../lambda/protocols/ag-ui.ts';
import { CONTEXT, eventsOf, writtenAnswer } from '../fixtures/written-answer.ts';

/** What a client of AG-UI gets of an agent's data, between the start of the run and its end. */
function passedOn(name: string, value: unknown): object[] {
  const data: ContentEvent = { type: 'data', name, value, raw: '' };
  return eventsOf(writtenAnswer(agUi, [data])).slice(1, -1);
}

/** The interrupts in the outcome of a run in which an agent asks one question. */
function asked(question: object): unknown {
  const interrupt = { type: 'interrupt', id: 'i', ...question } as ContentEvent;
  const outcome = eventsOf(writtenAnswer(agUi, [interrupt])).at(-1)?.outcome as { interrupts: unknown };
  return outcome.interrupts;
}

describe('a history of the agent', () => {
  const call = { id: 'c', type: 'function', function: { name: 'sum', arguments: '{}' } };

  test.each<[string, object]>([
    ['a developer', { role: 'developer', content: 'x' }],
    ['the system', { role: 'system', content: 'x' }],
    ['the reasoning', { role: 'reasoning', content: 'x' }],
    ['a user', { role: 'user', content: 'x' }],
    ['a user in blocks', { role: 'user', content: [{ type: 'text', text: 'x' }] }],
    ['a tool', { role: 'tool', content: 'x', toolCallId: 'c' }],
    ['an activity', { role: 'activity', activityType: 'PLAN', content: {} }],
  ])('is passed on as it is with the message of %s', (_whose, message) => {
    const messages = [{ id: 'm', ...message }];

    expect(passedOn('MESSAGES_SNAPSHOT', { messages })).toEqual([{ type: 'MESSAGES_SNAPSHOT', messages }]);
  });

  test.each<[string, object, object]>([
    ['text', { content: 'x' }, {}],
    ['calls alone', { toolCalls: [call] }, {}],
    ['metadata of its own', { content: 'x', metadata: { a: 1 } }, { a: 1 }],
    ['metadata that is none', { content: 'x', metadata: null }, {}],
  ])('names the session in an answer of %s', (_what, answer, metadata) => {
    const message = { id: 'm', role: 'assistant', ...answer };

    expect(passedOn('MESSAGES_SNAPSHOT', { messages: [message] })).toEqual([
      {
        type: 'MESSAGES_SNAPSHOT',
        messages: [{ ...message, metadata: { ...metadata, sessionId: CONTEXT.sessionId } }],
      },
    ]);
  });

  test.each<unknown>([
    'text',
    null,
    { role: 'user', content: 'x' },
    { id: 5, role: 'user', content: 'x' },
    { id: 'm', content: 'x' },
    { id: 'm', role: 'nobody', content: 'x' },
    { id: 'm', role: 'developer' },
    { id: 'm', role: 'system', content: 5 },
    { id: 'm', role: 'reasoning', content: null },
    { id: 'm', role: 'user' },
    { id: 'm', role: 'user', content: [null] },
    { id: 'm', role: 'user', content: [{ type: 'text' }] },
    { id: 'm', role: 'user', content: [{ type: 'image', text: 'x' }] },
    { id: 'm', role: 'user', content: [{ type: 'text', text: 'x' }, { type: 'image' }] },
    { id: 'm', role: 'assistant', content: 5 },
    { id: 'm', role: 'assistant', toolCalls: 'sum' },
    { id: 'm', role: 'assistant', toolCalls: [null] },
    { id: 'm', role: 'assistant', toolCalls: [call, { ...call, type: 'tool' }] },
    { id: 'm', role: 'assistant', toolCalls: [{ ...call, id: 5 }] },
    { id: 'm', role: 'assistant', toolCalls: [{ ...call, function: undefined }] },
    { id: 'm', role: 'assistant', toolCalls: [{ ...call, function: { arguments: '{}' } }] },
    { id: 'm', role: 'assistant', toolCalls: [{ ...call, function: { name: 'sum', arguments: {} } }] },
    { id: 'm', role: 'tool', content: 'x' },
    { id: 'm', role: 'tool', toolCallId: 'c' },
    { id: 'm', role: 'activity', content: {} },
    { id: 'm', role: 'activity', activityType: 'PLAN', content: 'x' },
  ])('is no history, but a custom event, with a message that breaks a client: %j', (message) => {
    const messages = [{ id: 'u', role: 'user', content: 'hi' }, message];

    expect(passedOn('MESSAGES_SNAPSHOT', { messages })).toMatchObject([{ type: 'CUSTOM' }]);
  });
});

describe('changes of a state', () => {
  test.each<object>([
    { op: 'add', path: '/a', value: null },
    { op: 'replace', path: '/a', value: 1 },
    { op: 'test', path: '/a', value: 1 },
    { op: 'remove', path: '/a' },
    { op: 'move', path: '/a', from: '/b' },
    { op: 'copy', path: '/a', from: '/b' },
  ])('are passed on: %j', (operation) => {
    expect(passedOn('STATE_DELTA', { delta: [operation] })).toEqual([
      { type: 'STATE_DELTA', delta: [operation] },
    ]);
  });

  test.each<unknown>([
    'add',
    null,
    { path: '/a' },
    { op: ['remove'], path: '/a' },
    { op: 'remove' },
    { op: 'remove', path: 5 },
    { op: 'jump', path: '/a' },
    { op: 'add', path: '/a' },
    { op: 'replace', path: '/a' },
    { op: 'test', path: '/a' },
    { op: 'move', path: '/a' },
    { op: 'copy', path: '/a', from: 5 },
  ])('are a custom event with one that breaks a client: %j', (operation) => {
    const delta = [{ op: 'remove', path: '/b' }, operation];

    expect(passedOn('STATE_DELTA', { delta })).toMatchObject([{ type: 'CUSTOM', name: 'STATE_DELTA' }]);
  });
});

describe('an event of the agent', () => {
  const activity = { messageId: 'm', activityType: 'PLAN', content: { a: 1 } };

  test.each<[string, object]>([
    ['ACTIVITY_SNAPSHOT', { ...activity, replace: false }],
    ['CUSTOM', { name: 'n', value: null }],
    ['RAW', { event: null }],
  ])('is passed on whole: %s %j', (name, value) => {
    expect(passedOn(name, value)).toEqual([{ type: name, ...value }]);
  });

  test.each<[string, object]>([
    ['a source that is no text', { source: 5 }],
    ['a timestamp that is no whole number', { timestamp: 5.5 }],
    ['a timestamp in words', { timestamp: 'now' }],
    ['metadata that is a list', { metadata: [1] }],
  ])('loses what a client may refuse: %s', (_what, refused) => {
    expect(passedOn('RAW', { event: 1, ...refused })).toEqual([{ type: 'RAW', event: 1 }]);
  });

  test.each<[string, unknown]>([
    ['STATE_SNAPSHOT', {}],
    ['STATE_SNAPSHOT', 'text'],
    ['ACTIVITY_SNAPSHOT', { ...activity, messageId: undefined }],
    ['ACTIVITY_SNAPSHOT', { ...activity, activityType: 5 }],
    ['ACTIVITY_SNAPSHOT', { ...activity, content: [] }],
    ['ACTIVITY_DELTA', { messageId: 'm', activityType: 'PLAN' }],
    ['STEP_FINISHED', { stepName: 5 }],
    ['CUSTOM', { value: 1 }],
    ['CUSTOM', { name: 'n' }],
    ['RAW', {}],
  ])('is a custom event where it lacks what a client needs: %s %j', (name, value) => {
    expect(passedOn(name, value)).toEqual([{ type: 'CUSTOM', name, value }]);
  });
});

describe('a question to the user', () => {
  test('has a reason, which is the agent’s own where it gives one', () => {
    expect(asked({})).toEqual([{ id: 'i', reason: 'input_required' }]);
    expect(asked({ reason: 'approval' })).toEqual([{ id: 'i', reason: 'approval' }]);
  });

  test('has every field that AG-UI knows', () => {
    const payload = {
      message: 'Sure?',
      toolCallId: 'c',
      expiresAt: '2026-01-01T00:00:00Z',
      responseSchema: { type: 'boolean' },
      metadata: { a: 1 },
    };

    expect(asked({ payload })).toEqual([{ id: 'i', reason: 'input_required', ...payload }]);
  });

  test.each<object>([
    { toolCallId: 5 },
    { expiresAt: {} },
    { responseSchema: [] },
    { responseSchema: null },
    { metadata: 'x' },
    { constructor: 'x' },
  ])('loses a field of another type: %j', (wrong) => {
    expect(asked({ payload: { message: 'Sure?', ...wrong } })).toEqual([
      { id: 'i', reason: 'input_required', message: 'Sure?' },
    ]);
  });

  test.each<[unknown]>([['Sure?'], [null], [5], [[1]], [{ a: 1 }], [{ message: 5 }]])(
    'of any other form stands in its metadata: %j',
    (payload) => {
      expect(asked({ payload })).toEqual([{ id: 'i', reason: 'input_required', metadata: { payload } }]);
    },
  );
});
