import { describe, expect, test } from '@jest/globals';
import type { Framework } from './framework.ts';

/** What of the script a way of an agent to answer can say. */
export interface Says {
  /** Thoughts and tool calls. */
  steps: boolean;
  usage: boolean;
  /** Whether the call of the calculator can be told to have failed. */
  toolErrors: boolean;
}

const PAYLOAD = { left: 12, operator: '*', right: 7 };

/** The cases that every framework has, of one entry: text, steps, tokens and failures. */
export function describeAnswers(agentId: string, framework: () => Framework, says: Says): void {
  describe(`an agent that sends ${agentId}`, () => {
    test('answers, turn after turn of a session', async () => {
      const { ask } = framework();

      const first = await ask(agentId, 'hello there');
      const second = await ask(agentId, 'hello there', { sessionId: first.sessionId });

      expect([first.text, second.text]).toEqual(Array(2).fill('You said: hello there'));
      expect(first.events.filter(([type]) => type !== 'chunk' && type !== 'usage')).toEqual([
        ['done', expect.objectContaining({ text: 'You said: hello there' })],
      ]);
    });

    test('thinks, calls a tool that really runs, and concludes', async () => {
      const { events } = await framework().ask(agentId, 'what is 12 * 7?');

      const seen = events.filter(([type]) => type !== 'usage' && type !== 'data');
      const [, call] = seen.find(([type]) => type === 'toolCall') ?? [];
      const { id } = Object(call) as { id?: string };
      const text = 'Let me see. It says 84.';
      expect(seen).toEqual(
        says.steps
          ? [
              ['reasoning', 'I need a tool.'],
              ['chunk', 'Let me see. '],
              ['toolCall', { id: expect.any(String), name: 'calculator' }],
              ['toolInput', JSON.stringify(PAYLOAD)],
              ['toolCallEnd', { id }],
              ['toolResult', { id, output: expect.anything(), isError: false }],
              ['chunk', 'It says 84.'],
              ['done', expect.objectContaining({ text })],
            ]
          : [
              ['chunk', text],
              ['done', expect.objectContaining({ text })],
            ],
      );
      const [, result] = seen.find(([type]) => type === 'toolResult') ?? [];
      if (says.steps) expect(String((result as { output: unknown }).output)).toBe('84');
    });

    test(`has as JSON the text${says.usage ? ' and the tokens of both of its steps' : ''}`, async () => {
      const { status, document } = await framework().invoke(agentId, 'what is 12 * 7?');

      expect(status).toBe(200);
      expect(document).toMatchObject({
        response: 'Let me see. It says 84.',
        ...(says.usage && { metadata: { usage: { inputTokens: 30, outputTokens: 9 } } }),
      });
    });

    if (says.toolErrors) {
      test('tells that a tool has failed', async () => {
        const { events } = await framework().ask(agentId, 'what is 1 / 0?');

        expect(events).toContainEqual([
          'toolResult',
          { id: expect.any(String), output: expect.stringContaining('divided by zero'), isError: true },
        ]);
        expect(events.at(-1)?.[0]).toBe('done');
      });
    }

    test('whose model fails at once is a failed request, with its own words', async () => {
      const { ask, invoke } = framework();

      const { error, events } = await ask(agentId, 'fail');
      const { status, document } = await invoke(agentId, 'fail');

      expect(events.filter(([type]) => type !== 'data')).toEqual([]);
      expect(error).toMatchObject({ code: 'AgentFailed', promptSent: true, retryable: false });
      expect(error?.details.agentError?.message).toContain('the model is away');
      expect([status, document.error]).toEqual([502, 'AgentFailed']);
    });

    test('whose model fails half way is a failure with the text so far', async () => {
      const { ask, invoke } = framework();

      const { error } = await ask(agentId, 'fail half way');
      const { document } = await invoke(agentId, 'fail half way');

      expect(error).toMatchObject({ code: 'AgentFailed', partialText: 'Let me see. ' });
      expect(document).toMatchObject({
        response: 'Let me see. ',
        incomplete: true,
        error: { code: 'AgentFailed' },
      });
    });
  });
}

/** The agent's process ends while it answers through each of its entries; then it is back. */
export function describeCut(agentIds: readonly string[], framework: () => Framework): void {
  test('an agent that dies within its answer is an interruption with the text so far', async () => {
    const { ask, kill, revive } = framework();
    let waiting = agentIds.length;

    const cut = await Promise.all(
      agentIds.map((agentId) =>
        ask(agentId, 'hang', {
          onText: (text) => {
            if (!text.includes('see.')) return;
            waiting -= 1;
            if (waiting === 0) void kill();
          },
        }),
      ),
    );
    await revive();
    const { text } = await ask(agentIds[0] as string, 'hello there');

    for (const { error } of cut) {
      expect(error).toMatchObject({ code: 'AgentInterrupted', promptSent: true, retryable: false });
      expect(error?.partialText.trimEnd()).toBe('Let me see.');
    }
    expect(text).toBe('You said: hello there');
  });
}
