import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../fixtures/sse.ts';
import { describeAnswers, describeCut, type Says } from './answers.ts';
import { type Framework, startFramework } from './framework.ts';

let framework: Framework;

/** The SDK's streams by the mode that stands in the entry's input. UI parts tell no tokens. */
const MODES: Record<string, Says> = {
  parts: { steps: true, usage: false, toolErrors: true },
  own: { steps: true, usage: false, toolErrors: true },
  sse: { steps: true, usage: false, toolErrors: true },
  full: { steps: true, usage: true, toolErrors: true },
  text: { steps: false, usage: false, toolErrors: false },
};

beforeAll(async () => {
  const entryOf = (mode: string) => ({
    input: { prompt: '$prompt', sessionId: '$sessionId', mode },
    payload: 'merge',
  });
  framework = await startFramework(
    'ai-sdk',
    Object.fromEntries(Object.keys(MODES).map((mode) => [mode, entryOf(mode)])),
  );
});
afterAll(() => framework?.close());

for (const [mode, says] of Object.entries(MODES)) describeAnswers(mode, () => framework, says);
describeCut(Object.keys(MODES), () => framework);

describe('a tool that needs approval', () => {
  test.each([true, false])('asks the user, and goes on with %j', async (approved) => {
    const { ask } = framework;

    const asked = await ask('parts', 'delete old-backups');
    const [, question] = asked.events.find(([type]) => type === 'interrupt') ?? [];
    const { id: approvalId } = question as { id: string };
    const { sessionId } = asked;
    const replied = await ask('parts', 'my reply', {
      sessionId,
      payload: { reply: { approvalId, approved } },
    });

    expect(question).toMatchObject({ reason: 'tool-approval', payload: { toolCallId: 'call-1' } });
    expect(asked.events.at(-1)).toEqual(['done', expect.objectContaining({ interrupted: true })]);
    expect(replied.text).toBe(`It says ${approved ? 'old-backups is deleted' : 'execution-denied'}.`);
    expect(replied.events.at(-1)?.[1]).not.toHaveProperty('interrupted');
  });
});

describe('the connection', () => {
  test.each(['parts', 'sse', 'own'])(
    'of an agent that sends %s serves the next turn of its session',
    async (mode) => {
      const { ask, system } = framework;
      const before = system.dataPlane.requests.length;

      const idle = () =>
        until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'all is idle');
      const { sessionId } = await ask(mode, 'hello there');
      for (let turn = 0; turn < 3; turn += 1) {
        await idle();
        expect((await ask(mode, 'hello there', { sessionId })).text).toBe('You said: hello there');
      }

      expect(system.dataPlane.requests.length - before).toBe(1);
    },
  );
});
