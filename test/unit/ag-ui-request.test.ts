import { describe, expect, test } from '@jest/globals';
import { agUi } from '../../lambda/protocols/ag-ui.ts';

const SESSION = 'session-0123456789-0123456789-0123456789';
const asks = { messages: [{ id: 'u', role: 'user', content: 'hi' }] };
const says = { messages: [{ id: 'a', role: 'assistant', content: 'hi' }] };
const returns = { messages: [{ id: 't', role: 'tool', content: '1', toolCallId: 'c' }] };
const shows = { messages: [{ id: 'u', role: 'user', content: [{ type: 'image' }] }] };
const replies = (...resume: unknown[]) => ({ ...says, resume });

interface Given {
  /** The agent of the path. */
  agentId?: string;
  takesRun?: boolean;
}

const read = (body: object, { takesRun = false, ...ofPath }: Given = {}) =>
  agUi.readRequest(body as Record<string, unknown>, {
    maxPromptBytes: 100,
    takesRun: () => takesRun,
    ...ofPath,
  });

describe('the agent of a run', () => {
  const forwardedProps = { agentId: 'props' };

  test.each<[string | undefined, object, Given]>([
    ['path', { agentId: 'body', forwardedProps }, { agentId: 'path' }],
    ['body', { agentId: 'body', forwardedProps }, {}],
    ['props', { forwardedProps }, {}],
    [undefined, {}, {}],
    [undefined, { forwardedProps: 'none' }, {}],
    [undefined, { forwardedProps: [forwardedProps] }, {}],
  ])('is %s', (agentId, body, given) => {
    expect(read({ ...asks, ...body }, given).agentId).toBe(agentId);
  });

  test.each([
    ['', 'an empty string'],
    [null, 'null'],
    [{}, 'an object'],
  ])('is refused when it is %j', (agentId, described) => {
    const refused = () => read({ ...asks, agentId, sessionId: SESSION });

    expect(refused).toThrow(
      expect.objectContaining({
        code: 'BadRequest',
        message: `"agentId": expected a non-empty string, got ${described}`,
        details: { sessionId: SESSION, fields: ['agentId'] },
      }),
    );
  });

  test('decides whether the run is read, or its prompt alone', () => {
    const asked: unknown[] = [];
    const takesRun = (agentId: string | undefined) => {
      asked.push(agentId);
      return agentId === 'mwc';
    };
    const tools = [{ name: 'ofTheCaller' }, { name: 5 }, 'x'];
    const options = { maxPromptBytes: 100, takesRun };

    expect(agUi.readRequest({ ...asks, tools, agentId: 'mwc' }, options).clientTools).toEqual([
      'ofTheCaller',
    ]);
    expect(agUi.readRequest({ ...asks, tools: 'x', agentId: 'mwc' }, options).clientTools).toEqual([]);
    expect(agUi.readRequest({ ...asks, tools }, options)).not.toHaveProperty('clientTools');
    expect(asked).toEqual(['mwc', 'mwc', undefined]);
  });
});

describe('the prompt of a run', () => {
  test.each<[string, object, Given, string]>([
    ['the last message', asks, {}, 'hi'],
    ['the last message, not a reply beside it', { ...asks, resume: [{ payload: 'yes' }] }, {}, 'hi'],
    ['a reply', replies({ payload: 'yes' }), {}, 'yes'],
    ['a reply beside the result of a tool', { ...returns, resume: [{ payload: 'yes' }] }, {}, 'yes'],
    ['a reply of an object', replies({ payload: { ok: true }, status: 'resolved' }), {}, '{"ok":true}'],
    ['a reply that says only how it ended', replies({ payload: null, status: 'cancelled' }), {}, 'cancelled'],
    ['several replies', replies({ payload: 'a' }, { status: 'cancelled' }, 'x'), {}, 'a\ncancelled\n'],
    ['a reply to an agent that reads the run', replies({ payload: 'yes' }), { takesRun: true }, 'yes'],
    ['the text for an agent that reads the run', asks, { takesRun: true }, 'hi'],
    ['nothing where an agent that reads the run gets an image', shows, { takesRun: true }, ''],
    ['nothing where it gets the result of a tool', returns, { takesRun: true }, ''],
    ['nothing where it gets an empty reply', replies({}), { takesRun: true }, ''],
  ])('is %s', (_what, body, given, prompt) => {
    const request = read(body, given);

    expect([request.prompt, request.promptBytes]).toEqual([prompt, prompt.length]);
    expect(request.isIdle).toBeUndefined();
  });

  test('is empty, and nothing is asked, for the result of a tool that the agent does not know', () => {
    expect(read(returns)).toMatchObject({ prompt: '', promptBytes: 0, isIdle: true });
  });

  test.each<[string, object, Given]>([
    ['an answer', says, {}],
    ['an answer, for an agent that reads the run', says, { takesRun: true }],
    ['an answer with no reply in the list', replies(), {}],
    ['an answer with a reply that is no list', { ...says, resume: 'yes' }, {}],
  ])('is refused where the last message is %s', (_what, body, given) => {
    expect(() => read(body, given)).toThrow(/a last message of the role "user", got another/);
  });

  test.each<[string, object]>([
    ['an image', shows],
    ['an empty reply', replies({})],
  ])('is refused where there is only %s for an agent that takes a text', (_what, body) => {
    expect(() => read(body)).toThrow(/expected a text in the last message, got an empty string/);
  });
});

describe('a run that asks for suggestions', () => {
  test.each([
    [{ function: { name: 'copilotkitSuggest' } }, true],
    [{ function: { name: 'sum' } }, undefined],
    [{ function: 'copilotkitSuggest' }, undefined],
    ['copilotkitSuggest', undefined],
    [undefined, undefined],
  ])('asks no agent: %j', (toolChoice, isIdle) => {
    expect(read({ ...asks, forwardedProps: { toolChoice } }).isIdle).toBe(isIdle);
  });
});

test.each([false, true])(
  'a run without a message is refused, whether the agent reads the run or not: %j',
  (takesRun) => {
    expect(() => read({ messages: [] }, { takesRun })).toThrow(
      '"messages": expected a last message of the role "user", got nothing',
    );
  },
);

test('a refusal tells the session that the messages tell', () => {
  const forwardedProps = { sessionId: SESSION };

  expect(() => read({ messages: 'none', forwardedProps })).toThrow(
    expect.objectContaining({
      message: '"messages": expected an array, got a string',
      details: { sessionId: SESSION, fields: ['messages'] },
    }),
  );
});
