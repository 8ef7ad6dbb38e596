import type { InvocationRecord, Log } from './agentcore/exchange.ts';
import type { StreamError } from './errors.ts';
import type { AnswerStats } from './stream/format.ts';

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
    connectionsPooled: number;
  };
}

export interface RequestTelemetry {
  log: Log;
  /**
   * Writes the one line that answers "what happened to this request", and the metrics, at once; then, for a
   * sampled invocation, its trace.
   */
  finish(outcome: RequestOutcome): Promise<void>;
}

export interface Telemetry {
  request(requestId: string, isTraced: boolean): RequestTelemetry;
  /** A kept connection will not be used again; counted with the next invocation. */
  connectionDiscarded(reason: string, ageMs: number): void;
}

/** A first answer that takes longer than this does not keep its lines until its end. */
const HOLD_LINES_MS = 5000;

/**
 * Logs, metrics and traces. Powertools is loaded when the first answer is over: that blocks for 20 ms, which would
 * otherwise lie between every cold start and its first chunk. The lines of that first request are held until then.
 */
export function createTelemetry(serviceName: string): Telemetry {
  let powertools: Telemetry | undefined;
  let loading: Promise<Telemetry> | undefined;
  const load = () => {
    loading ??= import('./powertools.ts').then(({ createPowertools }) => {
      powertools = createPowertools(serviceName);
      return powertools;
    });
    return loading;
  };
  return {
    request: (requestId, isTraced) =>
      powertools?.request(requestId, isTraced) ??
      heldRequest(async () => (await load()).request(requestId, isTraced)),
    // Nothing is kept, and so discarded, before the first answer.
    connectionDiscarded: (reason, ageMs) => powertools?.connectionDiscarded(reason, ageMs),
  };
}

/** The telemetry of a request that holds its lines until there is something to print them. */
function heldRequest(open: () => Promise<RequestTelemetry>): RequestTelemetry {
  const held: ((log: Log) => void)[] = [];
  let opened: RequestTelemetry | undefined;
  const release = async (): Promise<RequestTelemetry> => {
    opened ??= await open();
    for (const print of held.splice(0)) print(opened.log);
    return opened;
  };
  const timer = setTimeout(release, HOLD_LINES_MS).unref();
  const line = (print: (log: Log) => void) => {
    if (opened) print(opened.log);
    else held.push(print);
  };
  return {
    log: {
      info: (message, fields) => line((log) => log.info(message, fields)),
      warn: (message, fields) => line((log) => log.warn(message, fields)),
    },
    async finish(outcome) {
      clearTimeout(timer);
      await (await release()).finish(outcome);
    },
  };
}
