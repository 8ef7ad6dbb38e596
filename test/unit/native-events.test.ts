import { describe, expect, test } from '@jest/globals';
import { StreamError } from '../../lambda/errors.ts';
import type { ContentEvent } from '../../lambda/events.ts';
import { json } from '../../lambda/protocols/json.ts';
import { native } from '../../lambda/protocols/native.ts';
import { CONTEXT, eventsOf, writtenAnswer } from '../fixtures/written-answer.ts';

const STATS = { chunks: 2, bytes: 5, durationMs: 7 };
const { sessionId, agentId, requestId } = CONTEXT;
const error = Object.assign(
  new StreamError('AgentFailed', 'the agent reported an error', {
    details: { agentError: { message: 'no model' } },
  }),
  { promptSent: true },
);

describe('an answer in server-sent events', () => {
  test.each<[ContentEvent, object]>([
    [{ type: 'text', text: 'a' }, { chunk: 'a' }],
    [{ type: 'reasoning', text: 'hm' }, { reasoning: 'hm' }],
    [{ type: 'usage', inputTokens: 1, outputTokens: 2 }, { usage: { inputTokens: 1, outputTokens: 2 } }],
    [
      { type: 'data', name: 'plan', value: [1], raw: '{"type":"plan"}', inline: true },
      { data: { name: 'plan', value: [1] } },
    ],
    [{ type: 'toolCall', id: 't', name: 'sum' }, { toolCall: { id: 't', name: 'sum' } }],
    [{ type: 'toolCallEnd', id: 't' }, { toolCallEnd: { id: 't' } }],
    [{ type: 'interrupt', id: 'i', reason: 'why' }, { interrupt: { id: 'i', reason: 'why' } }],
  ])('has the event %j as %j', (event, line) => {
    expect(eventsOf(writtenAnswer(native, [event])).slice(1, -1)).toEqual([line]);
  });

  test('tells a caller that its session is another one, and only then', () => {
    const [started] = eventsOf(writtenAnswer(native, [], {}, { sessionReplaced: true }));

    expect(started).toEqual({ start: true, sessionId, agentId, requestId, sessionReplaced: true });
    expect(eventsOf(writtenAnswer(native, []))[0]).not.toHaveProperty('sessionReplaced');
  });

  test('ends with what it was', () => {
    const stats = { ...STATS, interrupted: true, stopped: true } as const;

    expect(eventsOf(writtenAnswer(native, [], stats)).at(-1)).toEqual({ done: true, sessionId, ...stats });
  });

  test('that fails says what the caller may know', () => {
    expect(eventsOf(writtenAnswer(native, [], { ...STATS, error })).at(-1)).toEqual({
      error: error.publicMessage,
      code: 'AgentFailed',
      retryable: false,
      promptSent: true,
      partial: true,
      sessionId,
      requestId,
      details: error.publicDetails(),
    });
  });

  test.each(['\u0085', '\u2028', '\u2029'])(
    'has no character in its lines at which some reader ends a line: %j',
    (separator) => {
      const said = `a${separator}b${separator}`;

      const stream = writtenAnswer(native, [
        { type: 'text', text: said },
        { type: 'reasoning', text: said },
      ]);

      expect(stream).not.toContain(separator);
      expect(eventsOf(stream).slice(1, -1)).toEqual([{ chunk: said }, { reasoning: said }]);
    },
  );
});

describe('an answer as one JSON document', () => {
  const interrupt: ContentEvent = { type: 'interrupt', id: 'i', payload: { a: 1 } };
  const metadata = { chunks: 2, durationMs: 7 };

  test('has the text alone as its response', () => {
    const events: ContentEvent[] = [
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'a' },
      { type: 'toolCall', id: 't', name: 'sum' },
      { type: 'text', text: 'b' },
    ];

    expect(JSON.parse(writtenAnswer(json, events, STATS))).toEqual({
      sessionId,
      agentId,
      response: 'ab',
      metadata,
    });
  });

  test('tells a caller that its session is another one, what the agent asks, and what the answer used', () => {
    const ending = { ...STATS, stopped: true, usage: { inputTokens: 1 } } as const;

    expect(JSON.parse(writtenAnswer(json, [interrupt], ending, { sessionReplaced: true }))).toEqual({
      sessionId,
      agentId,
      sessionReplaced: true,
      response: '',
      interrupt: { id: 'i', payload: { a: 1 } },
      stopped: true,
      metadata: { ...metadata, usage: { inputTokens: 1 } },
    });
  });

  test('that fails is incomplete, and says what the caller may know', () => {
    expect(JSON.parse(writtenAnswer(json, [], { ...STATS, usage: { inputTokens: 1 }, error }))).toEqual({
      sessionId,
      agentId,
      response: '',
      incomplete: true,
      error: {
        code: 'AgentFailed',
        message: error.publicMessage,
        retryable: false,
        promptSent: true,
        details: error.publicDetails(),
      },
      metadata: { ...metadata, usage: { inputTokens: 1 } },
    });
  });
});
