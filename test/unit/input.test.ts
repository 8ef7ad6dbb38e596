import { describe, expect, test } from '@jest/globals';
import type { InputRequest } from '../../lambda/dialects/dialect.ts';
import { type InputOptions, inputFor } from '../../lambda/dialects/input.ts';

const REQUEST: InputRequest = { prompt: 'a "b"\n$sessionId', sessionId: 's1', requestId: 'r1' };

function sent(options: Partial<InputOptions>, request: Partial<InputRequest> = {}): unknown {
  return JSON.parse(inputFor({ dialect: 'auto', ...options }, { ...REQUEST, ...request }));
}

describe('without a template', () => {
  test.each(['auto', 'generic', 'strands', 'langgraph', 'openai', 'text'] as const)(
    'an agent of the dialect %s is sent prompt and session',
    (dialect) => {
      expect(sent({ dialect })).toEqual({ prompt: REQUEST.prompt, sessionId: 's1' });
    },
  );

  test('the caller’s keys stand beside them and take the place of none', () => {
    const input = sent({}, { payload: { files: ['f'], prompt: 'x', sessionId: 'y' } });

    expect(input).toEqual({ files: ['f'], prompt: REQUEST.prompt, sessionId: 's1' });
  });
});

describe('AG-UI', () => {
  const dialect = 'ag-ui';

  test('a prompt becomes a RunAgentInput', () => {
    expect(sent({ dialect })).toEqual({
      threadId: 's1',
      runId: 'r1',
      state: {},
      messages: [{ id: 'r1', role: 'user', content: REQUEST.prompt }],
      tools: [],
      context: [],
      forwardedProps: {},
    });
  });

  test('the run of a caller that speaks AG-UI goes through, but for its ids', () => {
    const run = {
      threadId: 'theirs',
      runId: 'theirs',
      state: { a: 1 },
      messages: [{ id: 'm', role: 'user', content: 'one' }],
      tools: [{ name: 't' }],
      context: [{ description: 'd', value: 'v' }],
      forwardedProps: { p: 1 },
      resume: [{ interruptId: 'i', status: 'resolved' }],
    };

    expect(sent({ dialect }, { run })).toEqual({ ...run, threadId: 's1', runId: 'r1' });
  });

  test('a state that is null is none', () => {
    expect(sent({ dialect }, { run: { state: null, messages: [] } })).toMatchObject({
      state: {},
      messages: [],
    });
  });

  test('an answer to a question comes in the payload, which takes the place of nothing else', () => {
    const resume = [{ interruptId: 'i', status: 'resolved' }];

    const input = sent({ dialect }, { payload: { resume, threadId: 'x', messages: [] } });

    expect(input).toMatchObject({ resume, threadId: 's1', messages: [{ content: REQUEST.prompt }] });
  });
});

describe('a template', () => {
  test.each<[string, unknown, Partial<InputRequest>, unknown]>([
    ['a whole string takes the value', { a: { b: ['$prompt'] } }, {}, { a: { b: [REQUEST.prompt] } }],
    ['within a longer one its text', { a: 'S $sessionId/$requestId' }, {}, { a: 'S s1/r1' }],
    ['what is filled in is not filled again', { a: '> $prompt' }, {}, { a: `> ${REQUEST.prompt}` }],
    ['other values stay', { a: 1, b: null, c: true, d: 'x$' }, {}, { a: 1, b: null, c: true, d: 'x$' }],
    ['the payload has its place', { p: '$payload' }, { payload: { f: 1 } }, { p: { f: 1 } }],
    ['no payload is an empty one', { p: '$payload' }, {}, { p: {} }],
    [
      'without a place it stands beside',
      { a: '$prompt' },
      { payload: { f: 1, a: 2 } },
      { f: 1, a: REQUEST.prompt },
    ],
    ['it comes before the dialect’s own', { a: '$prompt' }, {}, { a: REQUEST.prompt }],
  ])('%s', (_title, input, request, expected) => {
    expect(sent({ dialect: 'ag-ui', input }, request)).toEqual(expected);
  });
});
