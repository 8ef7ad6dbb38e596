import type { IncomingMessage, ServerResponse } from 'node:http';
import { METRIC_NAMESPACE, METRICS, type MetricName } from '../../lambda/contract.ts';
import type { LogEntry } from '../aws/lambda-runtime.ts';

/** What the dashboard says of all agents together, and of each. */
export interface Figures {
  invocations: number;
  errors: number;
  /** In percent; null before there was a request. */
  successRate: number | null;
  /** From the request to the first text, in milliseconds. */
  firstChunk: Quantiles;
  /** Of those answers for which no microVM had to be started. */
  firstChunkWarm: Quantiles;
}

/** In milliseconds; null before there was a value. */
export interface Quantiles {
  p50: number | null;
  p90: number | null;
  p99: number | null;
}

export interface AgentFigures extends Figures {
  agent: string;
  /** Errors by what they ended as. */
  outcomes: Record<string, number>;
  connectionsOpened: number;
  connectionsReused: number;
}

/** What the dashboard says. */
export interface LiveFigures {
  /** Requests that failed before there was an agent included. */
  all: Figures;
  /** In the order in which they were first asked. */
  agents: AgentFigures[];
  /** The callers' mistakes. */
  rejected: number;
  coldStarts: number;
  concurrentStreams: number;
  /** DNS, TCP, TLS and upgrade, in milliseconds. */
  connectionTime: Quantiles;
  /** Every metric that counts something, of the whole service, by its name. */
  totals: Partial<Record<MetricName, number>>;
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

const COUNTED = (Object.keys(METRICS) as MetricName[]).filter(
  (name) => METRICS[name].unit !== 'Milliseconds' && !('isGauge' in METRICS[name]),
);

type Emf = { [Target in MetricName | 'agent' | 'outcome']?: unknown };

/** The invocations of one dimension set. */
class Sums {
  invocations = 0;
  errors = 0;
  connectionsOpened = 0;
  connectionsReused = 0;
  readonly outcomes: Record<string, number> = {};
  readonly #firstChunksMs: number[] = [];
  readonly #warmFirstChunksMs: number[] = [];

  add(emf: Emf): void {
    this.invocations += amountOf(emf, 'InvocationCount');
    this.errors += amountOf(emf, 'InvocationErrors');
    this.connectionsOpened += amountOf(emf, 'ConnectionsOpened');
    this.connectionsReused += amountOf(emf, 'ConnectionsReused');
    sample(this.#firstChunksMs, emf.FirstChunkLatency);
    sample(this.#warmFirstChunksMs, emf.FirstChunkLatencyWarm);
  }

  get figures(): Figures {
    const { invocations, errors } = this;
    return {
      invocations,
      errors,
      successRate: invocations === 0 ? null : 100 - (100 * errors) / invocations,
      firstChunk: quantiles(this.#firstChunksMs),
      firstChunkWarm: quantiles(this.#warmFirstChunksMs),
    };
  }
}

/** Adds up the metrics that the function prints as CloudWatch does: each dimension set for itself. */
export class MetricsFold {
  readonly #all = new Sums();
  readonly #agents = new Map<string, Sums>();
  readonly #totals: Partial<Record<MetricName, number>> = {};
  readonly #connectionTimesMs: number[] = [];

  /** Takes one line of the log; what is no metric of ours is ignored. */
  take(line: string): void {
    const emf = parseEmf(line);
    if (!emf) return;
    const { agent, outcome } = emf;
    if (typeof agent !== 'string') {
      this.#all.add(emf);
      for (const name of COUNTED) {
        if (emf[name] !== undefined) this.#totals[name] = (this.#totals[name] ?? 0) + amountOf(emf, name);
      }
      sample(this.#connectionTimesMs, emf.ConnectionTime);
      return;
    }
    const sums = this.#agents.get(agent) ?? new Sums();
    this.#agents.set(agent, sums);
    if (typeof outcome !== 'string') return sums.add(emf);
    sums.outcomes[outcome] = (sums.outcomes[outcome] ?? 0) + amountOf(emf, 'InvocationErrors');
  }

  figures(concurrentStreams: number): LiveFigures {
    return {
      all: this.#all.figures,
      agents: [...this.#agents].map(([agent, sums]) => ({
        agent,
        ...sums.figures,
        outcomes: { ...sums.outcomes },
        connectionsOpened: sums.connectionsOpened,
        connectionsReused: sums.connectionsReused,
      })),
      rejected: this.#totals.RequestsRejected ?? 0,
      coldStarts: this.#totals.ColdStart ?? 0,
      concurrentStreams,
      connectionTime: quantiles(this.#connectionTimesMs),
      totals: { ...this.#totals },
    };
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

/** Keeps the latest of them. */
function sample(samples: number[], value: unknown): void {
  if (typeof value !== 'number') return;
  samples.push(value);
  if (samples.length > MAX_SAMPLES) samples.shift();
}

/** By nearest rank. */
function quantiles(samples: readonly number[]): Quantiles {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
