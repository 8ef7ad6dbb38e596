import type { LocalAgent } from '../agents/agents.ts';
import type { Expected } from './expected.ts';
import { count } from './probe.ts';
import type { TurnResult } from './turn.ts';

/** One session's own words; an answer repeats them. */
export interface Session {
  id: string;
  canary: string;
  agentId: string;
  turns: number;
  /** How many prompts the agent has had, at least and at most. */
  heard: { atLeast: number; atMost: number };
  /** What it has heard last: nothing, or nobody can know. */
  last: string | 'nothing' | 'unknown';
  busy: boolean;
}

/** What the faults come to. Anything else is unexplained. */
const EXPLAINED = new Set(['Throttled', 'AgentUnavailable', 'AgentFailed', 'AgentInterrupted']);

/** Judges answers as they come, and in the end what the agents have heard. */
export class Judge {
  readonly problems: string[] = [];
  readonly errors = new Map<string, number>();
  readonly firstChunks: number[] = [];
  readonly totals: number[] = [];
  right = 0;
  recalled = 0;
  readonly #expected: Expected;

  constructor(expected: Expected) {
    this.#expected = expected;
  }

  answer(session: Session, prompt: string, result: TurnResult): void {
    const { text, code, whole, promptSent } = result;
    const { last, agentId, turns } = session;
    const problem = (what: string) => void this.problems.push(`${agentId}, turn ${turns}: ${what}`);
    if (!whole) problem('the answer has no end');
    if (result.sessionId !== session.id) problem("another session's id");
    const strange = text.match(/canary-[0-9a-f-]{36}/g)?.some((canary) => canary !== session.canary);
    if (strange) problem('the canary of another session');
    const previous = last === 'nothing' ? undefined : last;
    const expected = last === 'unknown' ? undefined : this.#expected(agentId, prompt, previous);
    if (promptSent) session.heard.atMost += 1;
    if (code !== undefined) {
      // A prompt that was not sent leaves the one before as the last; of one whose answer failed nobody knows.
      if (promptSent) session.last = 'unknown';
      count(this.errors, code);
      // Over http there are no pings: a connection that nobody answers is found by its silence.
      const isExplained = EXPLAINED.has(code) || (code === 'AgentTimeout' && agentId.endsWith('-http'));
      if (!isExplained) problem(`an error that no fault makes: ${code}`);
      if (expected?.startsWith(text) === false) problem(`a wrong beginning: ${text.slice(-80)}`);
      return;
    }
    session.heard.atLeast += 1;
    session.last = prompt;
    const isRight = expected === undefined ? text.includes(prompt) : text === expected;
    if (!isRight) return problem(`a wrong answer: ${text.slice(-80)}`);
    this.right += 1;
    if (expected !== undefined && previous !== undefined) this.recalled += 1;
    this.totals.push(result.totalMs);
    if (result.firstChunkMs !== undefined) this.firstChunks.push(result.firstChunkMs);
  }

  noAnswer(session: Session, error: unknown): void {
    this.problems.push(`${session.agentId}: ${(error as Error).message}`);
    session.last = 'unknown';
    session.heard.atMost += 1;
  }

  /** No agent has had a prompt twice, and each had those that it has answered. */
  async prompts(sessions: readonly Session[], agents: readonly LocalAgent[]): Promise<void> {
    for (const { id, agentId, heard } of sessions) {
      const agent = agents.find((candidate) => candidate.id === agentId.replace(/-http$/, ''));
      const received = (await agent?.promptsReceived(id)) ?? 0;
      if (received >= heard.atLeast && received <= heard.atMost) continue;
      const right = `${heard.atLeast} to ${heard.atMost}`;
      this.problems.push(`${agentId} has had ${received} prompts of a session, not ${right}`);
    }
  }
}
