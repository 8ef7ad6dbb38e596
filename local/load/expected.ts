import { randomUUID } from 'node:crypto';
import { takeTurn } from './turn.ts';

/** What an agent must answer to a prompt, given what its session has asked before. */
export type Expected = (agentId: string, prompt: string, previous: string | undefined) => string;

const BEFORE = 'what-was-asked-before';
const NOW = 'what-is-asked-now';

/** Asks each agent twice in a session of its own: the local agents say the same to everybody, but for the prompts. */
export async function learnAnswers(url: string, agentIds: readonly string[]): Promise<Expected> {
  const learned = new Map<string, { first: string; next: string }>();
  for (const agentId of agentIds) {
    const sessionId = randomUUID();
    const ask = async (prompt: string) => {
      const { text, code } = await takeTurn(url, { agentId, prompt, sessionId }, 'sse');
      if (code !== undefined) throw new Error(`${agentId} did not answer: ${code}`);
      return text;
    };
    learned.set(agentId, { first: await ask(BEFORE), next: await ask(NOW) });
  }
  return (agentId, prompt, previous) => {
    const { first = '', next = '' } = learned.get(agentId) ?? {};
    return previous === undefined
      ? first.replaceAll(BEFORE, prompt)
      : next.replaceAll(BEFORE, previous).replaceAll(NOW, prompt);
  };
}
