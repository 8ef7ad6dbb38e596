import type { InvocationRecord } from '../agentcore/exchange.ts';
import type { AnswerStats } from '../answer/protocol.ts';
import type { StreamError } from '../errors.ts';

/** The outcome of one request. */
export interface RequestOutcome {
  /** The name of the route, if a route matched. */
  route: string | undefined;
  error: StreamError | undefined;
  /** `performance.now()` when the handler was called. */
  startedAt: number;
  /** `performance.now()` when the answer was over. */
  endedAt: number;
  invocation?: {
    agent: string;
    sessionId: string;
    promptBytes: number;
    record: InvocationRecord;
    stats: AnswerStats;
    /** Whether the answer failed after its response had begun. */
    incomplete: boolean;
    /** How many times the reader took nothing for 30 s. */
    readerStalls: number;
    /** The total time that the answer waited for its reader. */
    readerStalledMs: number;
    connectionsPooled: number;
    /** Whether the session store missed a part of the answer. */
    storeFailed?: boolean;
  };
}
