import type { InvocationRecord } from '../agentcore/exchange.ts';
import type { AnswerStats } from '../answer/protocol.ts';
import type { StreamError } from '../errors.ts';

/** What one request came to. */
export interface RequestOutcome {
  /** Name of the route, when one matched. */
  route: string | undefined;
  error: StreamError | undefined;
  /** `performance.now()` when the handler was called. */
  startedAt: number;
  /** The same when the answer was over. */
  endedAt: number;
  invocation?: {
    agent: string;
    sessionId: string;
    promptBytes: number;
    record: InvocationRecord;
    stats: AnswerStats;
    /** The answer had begun before it failed. */
    incomplete: boolean;
    /** How many times the reader took nothing for 30 s. */
    readerStalls: number;
    /** How long the reader was waited for in all. */
    readerStalledMs: number;
    connectionsPooled: number;
    /** The session store has missed something of the answer. */
    storeFailed?: boolean;
  };
}
