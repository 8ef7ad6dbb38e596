import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StreamError } from '../../lambda/errors.ts';
import type { ContentEvent } from '../../lambda/events.ts';
import { uiMessageStream } from '../../lambda/protocols/ui-message-stream.ts';
import { anyBody, outcomeOf } from '../fixtures/any-body.ts';
import { FUZZ } from '../fixtures/arbitraries.ts';
import { CONTEXT, eventsOf, writtenAnswer } from '../fixtures/written-answer.ts';

const SESSION = 'session-0123456789-0123456789-0123456789';
const OTHER_SESSION = 'other-session-0123456789-0123456789-0123';
const TOOL = { dynamic: true, providerExecuted: true };
const options = { maxPromptBytes: 20, takesRun: () => false };

const partsOf = (...events: ContentEvent[]) => eventsOf(writtenAnswer(uiMessageStream, events)).slice(2, -3);
const read = (body: object, agentId?: string) =>
  uiMessageStream.readRequest(body as Record<string, unknown>, { ...options, ...(agentId && { agentId }) });
const user = (...texts: string[]) => ({ role: 'user', parts: texts.map((text) => ({ type: 'text', text })) });

describe('an answer', () => {
  test('is a message of its own with the session, framed as one step', () => {
    const stream = writtenAnswer(uiMessageStream, [{ type: 'text', text: 'Hi' }]);

    expect(eventsOf(stream)).toEqual([
      { type: 'start', messageId: CONTEXT.requestId, messageMetadata: { sessionId: CONTEXT.sessionId } },
      { type: 'start-step' },
      { type: 'text-start', id: '0' },
      { type: 'text-delta', id: '0', delta: 'Hi' },
      { type: 'text-end', id: '0' },
      { type: 'finish-step' },
      { type: 'finish' },
      { type: '[DONE]' },
    ]);
  });

  test('closes text and reasoning where the other begins, and gives each stretch an id', () => {
    const parts = partsOf(
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
      { type: 'reasoning', text: 'so' },
    );

    expect(parts.map(({ type, id }) => `${type} ${id}`)).toEqual([
      'reasoning-start 0',
      'reasoning-delta 0',
      'reasoning-end 0',
      'text-start 1',
      'text-delta 1',
      'text-delta 1',
      'text-end 1',
      'reasoning-start 2',
      'reasoning-delta 2',
      'reasoning-end 2',
    ]);
  });

  test('tells of a tool that the agent has run', () => {
    const parts = partsOf(
      { type: 'text', text: 'a' },
      { type: 'toolCall', id: 't1', name: 'sum' },
      { type: 'toolInput', id: 't1', delta: '{"a":' },
      { type: 'toolInput', id: 't1', delta: '1}' },
      { type: 'toolCallEnd', id: 't1' },
      { type: 'toolResult', id: 't1', output: { b: 2 }, isError: false },
    );

    expect(parts.slice(2)).toEqual([
      { type: 'text-end', id: '0' },
      { type: 'tool-input-start', toolCallId: 't1', toolName: 'sum', ...TOOL },
      { type: 'tool-input-delta', toolCallId: 't1', inputTextDelta: '{"a":' },
      { type: 'tool-input-delta', toolCallId: 't1', inputTextDelta: '1}' },
      { type: 'tool-input-available', toolCallId: 't1', toolName: 'sum', input: { a: 1 }, ...TOOL },
      { type: 'tool-output-available', toolCallId: 't1', output: { b: 2 }, ...TOOL },
    ]);
  });

  test.each([
    ['', {}],
    [' \n', {}],
    ['{"a":1}', { a: 1 }],
    ['not json', 'not json'],
  ])('has the input %j of a tool as %j', (delta, input) => {
    const parts = partsOf({ type: 'toolCall', id: 't', name: 'x' }, { type: 'toolInput', id: 't', delta });

    expect(parts.find(({ type }) => type === 'tool-input-available')?.input).toEqual(input);
  });

  test('has a tool that failed, one that nobody called, and one that nobody answered', () => {
    const parts = partsOf(
      { type: 'toolCall', id: 'a', name: 'x' },
      { type: 'toolResult', id: 'a', output: { why: 'no' }, isError: true },
      { type: 'toolInput', id: 'never', delta: '1' },
      { type: 'toolCallEnd', id: 'never' },
      { type: 'toolResult', id: 'late', output: undefined, isError: false },
      { type: 'toolCall', id: 'open', name: 'y' },
    );

    const told = parts.map(({ type, toolCallId, toolName }) => [type, toolCallId, toolName].join(' ').trim());
    expect(told).toEqual([
      'tool-input-start a x',
      'tool-input-available a x',
      'tool-output-error a',
      'tool-input-start late tool',
      'tool-input-available late tool',
      'tool-output-available late',
      'tool-input-start open y',
      'tool-input-available open y',
      'tool-output-available open',
    ]);
    expect(parts[2]).toMatchObject({ errorText: '{"why":"no"}' });
    expect(parts[5]).toMatchObject({ output: null });
  });

  test.each([
    ['no', 'no'],
    [{ why: 'no' }, '{"why":"no"}'],
    [undefined, ''],
  ])('has the output %j of a tool that failed as the text %j', (output, errorText) => {
    const parts = partsOf({ type: 'toolResult', id: 't', output, isError: true });

    expect(parts.at(-1)).toMatchObject({ type: 'tool-output-error', errorText });
  });

  test('tells a caller that its session is another one', () => {
    const stream = writtenAnswer(uiMessageStream, [], {}, { sessionReplaced: true });

    expect(eventsOf(stream)[0]).toMatchObject({
      messageMetadata: { sessionId: CONTEXT.sessionId, sessionReplaced: true },
    });
  });

  test('keeps two calls of one id apart', () => {
    const call: ContentEvent[] = [
      { type: 'toolCall', id: '', name: 'x' },
      { type: 'toolResult', id: '', output: '1', isError: false },
    ];

    const ids = partsOf(...call, ...call).map(({ toolCallId }) => toolCallId);

    expect(ids).toEqual(['call', 'call', 'call', 'call-2', 'call-2', 'call-2']);
  });

  test('has data, questions and an agent’s own parts as parts that every client knows', () => {
    const data = (name: string | undefined, value: unknown): ContentEvent => ({
      type: 'data',
      ...(name && { name }),
      value,
      raw: '',
      inline: true,
    });

    const parts = partsOf(
      data('STATE_SNAPSHOT', { type: 'STATE_SNAPSHOT', snapshot: 1 }),
      data(undefined, [1]),
      data(undefined, undefined),
      {
        type: 'data',
        name: 'data-weather',
        value: 3,
        raw: '{"type":"data-weather","id":"w","data":3,"transient":true,"more":1}',
      },
      data('data-plain', 4),
      {
        type: 'data',
        name: 'data-odd',
        value: 5,
        raw: '{"type":"data-odd","id":7,"data":5,"transient":"yes"}',
      },
      data('source-url', { type: 'source-url', sourceId: 's', url: 'u', title: 't', providerMetadata: {} }),
      data('source-url', { type: 'source-url', url: 'u' }),
      data('source-url', { type: 'source-url', sourceId: 's', url: 'u', title: 5 }),
      data('file', 'text'),
      data('file', { type: 'picture', url: 'u', mediaType: 'm' }),
      data('file', { type: 'file', url: 'u', mediaType: 'm', x: 1 }),
      { type: 'interrupt', id: 'i1', reason: 'tool_call', payload: { a: 1 } },
      { type: 'usage', inputTokens: 1 },
    );

    expect(parts).toEqual([
      { type: 'data-STATE_SNAPSHOT', data: { type: 'STATE_SNAPSHOT', snapshot: 1 } },
      { type: 'data-agent', data: [1] },
      { type: 'data-agent', data: null },
      { type: 'data-weather', id: 'w', data: 3, transient: true },
      { type: 'data-plain', data: 4 },
      { type: 'data-odd', data: 5 },
      { type: 'source-url', sourceId: 's', url: 'u', title: 't' },
      { type: 'data-source-url', data: { type: 'source-url', url: 'u' } },
      { type: 'source-url', sourceId: 's', url: 'u' },
      { type: 'data-file', data: 'text' },
      { type: 'data-file', data: { type: 'picture', url: 'u', mediaType: 'm' } },
      { type: 'file', url: 'u', mediaType: 'm' },
      { type: 'data-interrupt', id: 'i1', data: { id: 'i1', reason: 'tool_call', payload: { a: 1 } } },
    ]);
  });

  test('has no key at which the client ends an answer', () => {
    const output = JSON.parse(
      '{"__proto__":1,"a":[{"constructor":{"prototype":2},"b":3}],"constructor":"c","d":{"prototype":4},"e":{"constructor":{"f":5}}}',
    );

    const parts = partsOf({ type: 'toolResult', id: 't', output, isError: false });

    expect(JSON.stringify(parts.at(-1)?.output)).toBe(
      '{"a":[{"b":3}],"constructor":"c","d":{"prototype":4},"e":{"constructor":{"f":5}}}',
    );
  });

  test.each([
    [
      { usage: { inputTokens: 1, outputTokens: 2 } },
      [{ type: 'finish', messageMetadata: { usage: { inputTokens: 1, outputTokens: 2 } } }],
    ],
    [{ stopped: true as const }, [{ type: 'abort' }]],
  ])('that ends with %j says so', (stats, end) => {
    const stream = writtenAnswer(uiMessageStream, [], stats);

    expect(eventsOf(stream).slice(3, -1)).toEqual(end);
  });

  test('that fails ends in order, with the error as one sentence', () => {
    const error = new StreamError('AgentFailed', 'the agent reported an error', {
      details: { agentError: { message: 'no model' } },
    });
    error.promptSent = true;

    const stream = writtenAnswer(uiMessageStream, [{ type: 'text', text: 'half' }], { error });

    expect(eventsOf(stream).slice(-3)).toEqual([
      { type: 'text-end', id: '0' },
      {
        type: 'error',
        errorText:
          'The agent reported an error: no model. The agent may have acted on the prompt: ask it in the same ' +
          'session before sending again (request request-1)',
      },
      { type: '[DONE]' },
    ]);
  });

  test('that fails before it begins is text, with what a program needs in headers', () => {
    const error = new StreamError('Throttled', 'AgentCore is throttling requests');

    const refusal = uiMessageStream.refusal?.(error, 'r1', {});

    expect(refusal).toEqual({
      contentType: 'text/plain; charset=utf-8',
      headers: { 'X-Error-Code': 'Throttled', 'X-Error-Retryable': 'true' },
      body: 'AgentCore is throttling requests (request r1)',
    });
  });
});

describe('a request', () => {
  test('of any JSON is read, or refused with a session to answer in', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        const read = outcomeOf(() => uiMessageStream.readRequest(body, options));

        expect(read.sessionId).toMatch(/^[A-Za-z0-9][\w-]{32,255}$/);
      }),
      FUZZ,
    );
  });

  test('has the text of its last message as prompt', () => {
    const { prompt, promptBytes } = read({
      id: 'short',
      messages: [user('one'), { role: 'assistant', parts: [] }, user('zwei', 'ü')],
    });

    expect({ prompt, promptBytes }).toEqual({ prompt: 'zwei\nü', promptBytes: 7 });
  });

  test.each([
    ['a message alone', { message: user('hi') }],
    ['a message with content', { messages: [{ role: 'user', content: 'hi' }] }],
    [
      'a file beside the text',
      { messages: [{ role: 'user', parts: [{ type: 'file', url: 'x' }, ...user('hi').parts] }] },
    ],
  ])('may have %s', (_what, body) => {
    expect(read(body).prompt).toBe('hi');
  });

  test.each([
    [{ sessionId: SESSION, id: OTHER_SESSION }, SESSION, undefined],
    [{ id: SESSION }, SESSION, undefined],
    [{ id: 'chat' }, OTHER_SESSION, undefined],
    [{ sessionId: 'short', id: SESSION }, SESSION, true],
    [{ sessionId: 'short', id: 'chat' }, OTHER_SESSION, true],
  ])('of %j goes on in the session %s', (ids, sessionId, sessionReplaced) => {
    const answer = { role: 'assistant', metadata: { sessionId: OTHER_SESSION }, parts: [] };

    const request = read({ ...ids, messages: [user('a'), answer, user('b')] });

    expect([request.sessionId, request.sessionReplaced]).toEqual([sessionId, sessionReplaced]);
  });

  test('without a session begins a new one, whatever a message of the user claims', () => {
    const body = { id: 'chat', messages: [{ ...user('a'), metadata: { sessionId: SESSION } }] };

    const [one, two] = [read(body), read(body)];

    expect(one.sessionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(two.sessionId).not.toBe(one.sessionId);
  });

  test.each([
    ['/path', 'path', { agentId: 'body' }],
    ['body', undefined, { agentId: 'body' }],
    [undefined, undefined, {}],
  ])('is for the agent %s', (expected, ofPath, named) => {
    const { agentId } = read({ ...named, message: user('a') }, ofPath);

    expect(agentId).toBe(expected?.replace('/', ''));
  });

  test.each([
    [{}, 'BadRequest', '"message": expected a last message of the role "user", got nothing'],
    [{ messages: [] }, 'BadRequest', '"messages": expected a last message of the role "user", got nothing'],
    [
      { messages: [{ role: 'assistant', parts: [] }] },
      'BadRequest',
      '"messages": expected a last message of the role "user", got another',
    ],
    [
      { messages: [user()] },
      'BadRequest',
      '"messages": expected a text in the last message, got an empty string',
    ],
    [
      { message: user('a'), agentId: 3 },
      'BadRequest',
      '"agentId": expected a non-empty string, got a number',
    ],
    [{ message: user('a'), payload: [] }, 'BadRequest', '"payload": expected an object, got an array'],
    [
      { message: user('x'.repeat(21)) },
      'PayloadTooLarge',
      '"message": expected at most 20 bytes of UTF-8, got 21',
    ],
  ])('%j is refused', (body, code, message) => {
    const refused = () => read(body);

    expect(refused).toThrow(expect.objectContaining({ code, message }));
  });
});
