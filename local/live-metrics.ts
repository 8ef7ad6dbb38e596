import type { IncomingMessage, ServerResponse } from 'node:http';
import { DIMENSIONS, METRIC_NAMESPACE, type MetricName } from '../lambda/contract.ts';
import type { LogEntry } from './lambda-runtime.ts';

/** What the dashboard says of one agent. */
export interface AgentFigures {
  agent: string;
  invocations: number;
  errors: number;
  /** In percent. */
  successRate: number;
  /** From the request to the first text, in milliseconds; null before there was one. */
  firstChunkP50: number | null;
  firstChunkP90: number | null;
  /** Errors by what they ended as. */
  outcomes: Record<string, number>;
  connectionsOpened: number;
  connectionsReused: number;
}

/** What the dashboard's top rows say. */
export interface LiveFigures {
  /** In the order in which they were first asked. */
  agents: AgentFigures[];
  /** Errors that happened before there was an agent. */
  otherErrors: number;
  /** The callers' mistakes. */
  rejected: number;
  coldStarts: number;
  concurrentStreams: number;
}

export interface LiveMetricsOptions {
  /** The execution environments, of which the busy ones are streams. @default none */
  environments?: () => readonly { state: string }[];
}

export interface LiveMetrics {
  /** Takes a line of the function's log; what is no metric is ignored. */
  onLog(entry: Pick<LogEntry, 'line'>): void;
  /** Answers {@link LIVE_METRICS_PATH} with server-sent events; false when the request is for somebody else. */
  handler(request: IncomingMessage, response: ServerResponse): boolean;
  /** Ends every answer. */
  close(): void;
}

/** Where the page subscribes. */
export const LIVE_METRICS_PATH = '/playground/metrics';

/** Figures change with every request and every stream that begins: this often is enough for the eye. */
const INTERVAL_MS = 250;
/** So often also when nothing changes. */
const REPEAT_MS = 15_000;
/** Latencies that a quantile is taken of. */
const MAX_SAMPLES = 1000;

interface Samples extends Omit<AgentFigures, 'agent' | 'successRate' | 'firstChunkP50' | 'firstChunkP90'> {
  firstChunksMs: number[];
}

type Emf = { [Target in MetricName | 'agent' | 'outcome']?: unknown };

/** Adds up the metrics that the function prints, as CloudWatch would. */
export class MetricsFold {
  readonly #agents = new Map<string, Samples>();
  #otherErrors = 0;
  #rejected = 0;
  #coldStarts = 0;

  /** Takes one line of the log; what is no metric of ours is ignored. */
  take(line: string): void {
    const emf = parseEmf(line);
    if (!emf) return;
    this.#coldStarts += amountOf(emf, 'ColdStart');
    this.#rejected += amountOf(emf, 'RequestsRejected');
    const agent = emf[DIMENSIONS.agent];
    if (typeof agent !== 'string') this.#otherErrors += amountOf(emf, 'InvocationErrors');
    else this.#add(this.#samplesOf(agent), emf);
  }

  figures(concurrentStreams: number): LiveFigures {
    return {
      agents: [...this.#agents].map(([agent, { firstChunksMs, ...sums }]) => ({
        agent,
        ...sums,
        outcomes: { ...sums.outcomes },
        successRate: 100 - (100 * sums.errors) / sums.invocations,
        firstChunkP50: quantile(firstChunksMs, 0.5),
        firstChunkP90: quantile(firstChunksMs, 0.9),
      })),
      otherErrors: this.#otherErrors,
      rejected: this.#rejected,
      coldStarts: this.#coldStarts,
      concurrentStreams,
    };
  }

  #samplesOf(agent: string): Samples {
    const known = this.#agents.get(agent);
    if (known) return known;
    const samples: Samples = {
      invocations: 0,
      errors: 0,
      outcomes: {},
      connectionsOpened: 0,
      connectionsReused: 0,
      firstChunksMs: [],
    };
    this.#agents.set(agent, samples);
    return samples;
  }

  #add(samples: Samples, emf: Emf): void {
    const errors = amountOf(emf, 'InvocationErrors');
    samples.invocations += amountOf(emf, 'InvocationCount');
    samples.errors += errors;
    samples.connectionsOpened += amountOf(emf, 'ConnectionsOpened');
    samples.connectionsReused += amountOf(emf, 'ConnectionsReused');
    const outcome = emf[DIMENSIONS.outcome];
    if (errors > 0 && typeof outcome === 'string') {
      samples.outcomes[outcome] = (samples.outcomes[outcome] ?? 0) + errors;
    }
    if (typeof emf.FirstChunkLatency !== 'number') return;
    samples.firstChunksMs.push(emf.FirstChunkLatency);
    if (samples.firstChunksMs.length > MAX_SAMPLES) samples.firstChunksMs.shift();
  }
}

/** The dashboard's top figures, live, from the metrics that the local function prints. */
export function createLiveMetrics({ environments = () => [] }: LiveMetricsOptions = {}): LiveMetrics {
  const fold = new MetricsFold();
  const readers = new Set<ServerResponse>();
  let timer: NodeJS.Timeout | undefined;
  let sent = '';
  let sentAt = 0;

  const event = () => {
    const streams = environments().filter(({ state }) => state === 'busy').length;
    return `data: ${JSON.stringify(fold.figures(streams))}\n\n`;
  };
  const tell = () => {
    const now = event();
    const isSilent = performance.now() - sentAt > REPEAT_MS;
    if (now === sent && !isSilent) return;
    // A reader that is behind gets the next figures, not all of them.
    for (const reader of readers) if (!reader.writableNeedDrain) reader.write(now);
    sent = now;
    sentAt = performance.now();
  };
  const leave = (reader: ServerResponse) => {
    readers.delete(reader);
    if (readers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    onLog({ line }) {
      fold.take(line);
    },
    handler(request, response) {
      const path = (request.url ?? '').split('?', 1)[0];
      if (request.method !== 'GET' || path !== LIVE_METRICS_PATH) return false;
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.on('error', () => {});
      response.once('close', () => leave(response));
      readers.add(response);
      response.write(event());
      timer ??= setInterval(tell, INTERVAL_MS).unref();
      return true;
    },
    close() {
      for (const reader of [...readers]) {
        leave(reader);
        reader.end();
      }
    },
  };
}

function parseEmf(line: string): Emf | undefined {
  if (!line.startsWith('{"_aws":') || !line.includes(`"${METRIC_NAMESPACE}"`)) return undefined;
  try {
    return JSON.parse(line) as Emf;
  } catch {
    return undefined;
  }
}

function amountOf(emf: Emf, name: MetricName): number {
  const value = emf[name];
  return typeof value === 'number' ? value : 0;
}

/** By nearest rank. */
function quantile(samples: readonly number[], share: number): number | null {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
