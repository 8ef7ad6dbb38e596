import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeAnswers, describeCut } from './answers.ts';
import { type Framework, startFramework } from './framework.ts';

let framework: Framework;
const MODES = ['tuples', 'chunks', 'modes'];

beforeAll(async () => {
  const entryOf = (mode: string) => ({
    input: { prompt: '$prompt', sessionId: '$sessionId', mode },
    payload: 'merge',
  });
  framework = await startFramework(
    'langgraph',
    Object.fromEntries(MODES.map((mode) => [mode, entryOf(mode)])),
  );
});
afterAll(() => framework?.close());

for (const mode of MODES) {
  describeAnswers(mode, () => framework, { steps: true, usage: true, toolErrors: true });
}
describeCut(MODES, () => framework);

test.each(['yes', 'no'])('a graph that interrupts asks the user, and goes on with %j', async (reply) => {
  const { ask } = framework;

  const asked = await ask('modes', 'delete old-backups');
  const { sessionId } = asked;
  const resumed = await ask('modes', 'my reply', { sessionId, payload: { reply } });

  const [, question] = asked.events.find(([type]) => type === 'interrupt') ?? [];
  expect(question).toEqual({ id: expect.any(String), payload: { question: 'Delete old-backups?' } });
  expect(asked.events.at(-1)).toEqual(['done', expect.objectContaining({ interrupted: true })]);
  expect(resumed.text).toBe(`It says ${reply === 'yes' ? 'old-backups is deleted' : 'kept'}.`);
  expect(resumed.events.at(-1)?.[1]).not.toHaveProperty('interrupted');
});
