import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { StreamError } from '../../lambda/errors.ts';
import type { ContentEvent } from '../../lambda/events.ts';
import { agUi } from '../../lambda/protocols/ag-ui.ts';
import { uiMessageStream } from '../../lambda/protocols/ui-message-stream.ts';
import { writtenAnswer } from '../fixtures/written-answer.ts';
import { AG_UI_RELEASES, AI_RELEASES, createChat, textOf } from './clients.ts';

/** Whatever an agent tells, in whatever order: results without calls, calls without ends, and one id for several. */
const id = fc.constantFrom('', 't1', 't2', '__proto__');
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('\u2028', '\n\n', 'data: x', '[DONE]', '\ud83d'),
);
const json = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('{"__proto__":1}', '{"constructor":{"prototype":{}}}').map((text) => JSON.parse(text)),
);
const named = (name: string, fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .record({ type: fc.constant(name), ...fields }, { requiredKeys: ['type'] })
    .map((value) => ({ type: 'data', name, value, raw: JSON.stringify(value) }) as ContentEvent);
const event: fc.Arbitrary<ContentEvent> = fc.oneof(
  fc.record({ type: fc.constantFrom('text' as const, 'reasoning' as const), text }),
  fc.record({ type: fc.constant('toolCall' as const), id, name: fc.constantFrom('sum', '') }),
  fc.record({ type: fc.constant('toolInput' as const), id, delta: fc.constantFrom('', '{"a":', '1}', 'x') }),
  fc.record({ type: fc.constant('toolCallEnd' as const), id }),
  fc.record({ type: fc.constant('toolResult' as const), id, output: json, isError: fc.boolean() }),
  fc.record({ type: fc.constant('interrupt' as const), id, reason: text, payload: json }),
  fc.record({ type: fc.constant('data' as const), name: text, value: json, raw: text }),
  named('STEP_STARTED', { stepName: id }),
  named('STEP_FINISHED', { stepName: id }),
  named('STATE_SNAPSHOT', { snapshot: json, timestamp: json, metadata: json }),
  named('STATE_DELTA', { delta: json }),
  named('MESSAGES_SNAPSHOT', {
    messages: fc.array(fc.record({ id, role: fc.constantFrom('user', 'tool'), content: json })),
  }),
  named('ACTIVITY_SNAPSHOT', { messageId: id, activityType: id, content: json, replace: json }),
  named('CUSTOM', { name: id, value: json, subagentRunId: json }),
  named('RUN_STARTED', { threadId: id }),
  named('source-url', { sourceId: id, url: text, title: json, providerMetadata: json }),
  named('data-x', { id: json, data: json, transient: json }),
  named('file', { url: text, mediaType: json }),
  named('finish', { finishReason: json }),
);
const answer = fc.record({
  events: fc.array(event, { maxLength: 12 }),
  ending: fc.constantFrom(
    {},
    { usage: { inputTokens: 1, outputTokens: 2 } },
    { stopped: true as const },
    { error: new StreamError('AgentFailed', 'the agent reported an error') },
  ),
});
const RUNS = { numRuns: Number(process.env.FUZZ_RUNS || 100) };
const said = (events: ContentEvent[]) => events.map((one) => (one.type === 'text' ? one.text : '')).join('');
const streamed = (body: string) => () =>
  Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));

let warnings: jest.Spied<typeof console.warn>;
beforeEach(() => {
  warnings = jest.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  expect(warnings.mock.calls).toEqual([]);
});

describe.each(Object.entries(AI_RELEASES))('ai %s', (_name, release) => {
  test('takes whatever an agent tells, and shows all text', async () => {
    await fc.assert(
      fc.asyncProperty(answer, async ({ events, ending }) => {
        const stream = writtenAnswer(uiMessageStream, events, ending);
        const chat = createChat({ release, api: 'http://localhost/api/chat', fetch: streamed(stream) });

        await chat.sendMessage({ text: 'hi' });

        const failed = 'error' in ending;
        expect(chat.error?.message).toBe(
          failed ? 'The agent reported an error (request request-1)' : undefined,
        );
        expect(chat.status).toBe(failed ? 'error' : 'ready');
        expect(textOf(chat.messages[1])).toBe(said(events));
        expect(chat.asked).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe.each(Object.entries(AG_UI_RELEASES))('@ag-ui/client %s', (_name, { HttpAgent }) => {
  test('takes whatever an agent tells, and shows all text', async () => {
    await fc.assert(
      fc.asyncProperty(answer, async ({ events, ending }) => {
        const stream = writtenAnswer(agUi, events, ending, { run: { threadId: 't', runId: 'r' } });
        const agent = new HttpAgent({ url: 'http://localhost/api/ag-ui', fetch: streamed(stream) });
        const failures: string[] = [];

        agent.setMessages([{ id: 'u', role: 'user', content: 'hi' }]);
        await agent.runAgent(
          {},
          { onRunErrorEvent: ({ event: { message } }) => void failures.push(message) },
        );

        expect(failures).toEqual(
          'error' in ending ? ['The agent reported an error (request request-1)'] : [],
        );
        const replaced = stream.includes('MESSAGES_SNAPSHOT');
        const shown = agent.messages.map(({ role, content }) =>
          role === 'assistant' ? (content ?? '') : '',
        );
        if (!replaced) expect(shown.join('')).toBe(said(events));
      }),
      RUNS,
    );
  });
});
