// biome-ignore lint/style/noRestrictedImports: this file owns it
import { Logger } from '@aws-lambda-powertools/logger';
// biome-ignore lint/style/noRestrictedImports: this file owns it
import { Metrics } from '@aws-lambda-powertools/metrics';
import { DIMENSIONS, METRIC_NAMESPACE, METRICS, type MetricName } from '../contract.ts';
import { type Level, printable, type WriteLine } from './log-line.ts';
import type { RequestOutcome } from './outcome.ts';
import { isEmptyAnswer, isRejected, since } from './summary.ts';

/** The longest upgrade on a running microVM. A longer upgrade means that a microVM was started. */
const WARM_UPGRADE_MS = 1000;

/**
 * Logs and metrics without Powertools' decorators: these take a streaming handler's second argument for the context.
 */
export interface Powertools {
  writeLine: WriteLine;
  /** Decides for a new request whether it belongs to the share of requests that are logged in full. */
  sample(): void;
  /** @param discarded the number of kept connections that were discarded since the last invocation */
  publishMetrics(outcome: RequestOutcome, discarded: number): void;
}

export function createPowertools(serviceName: string): Powertools {
  const logger = new Logger({ serviceName, jsonReplacerFn: printable });
  // Without this logger, Powertools would warn of each request that has nothing to count.
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName, logger: quiet });
  const methods = { INFO: 'info', WARN: 'warn', ERROR: 'error' } as const satisfies Record<Level, string>;
  return {
    writeLine: (level, message, fields) => logger[methods[level]](message, fields),
    sample: () => logger.refreshSampleRateCalculation(),
    publishMetrics(outcome, discarded) {
      metrics.captureColdStartMetric();
      publishMetrics(metrics, outcome, discarded);
    },
  };
}

type Values = Partial<Record<MetricName, number | undefined>>;

/** Writes one document per dimension set. Each contains the metrics that are used in that set. */
function publishMetrics(metrics: Metrics, outcome: RequestOutcome, discarded: number): void {
  const values = valuesOf(outcome, discarded);
  const { invocation, error } = outcome;
  publish(metrics, values, ['service', 'agent', 'outcome'], {});
  if (!invocation) return;
  const dimensions = { [DIMENSIONS.agent]: invocation.agent };
  publish(metrics, values, ['agent', 'outcome'], dimensions);
  if (!error || error.isCancellation) return;
  publish(metrics, values, ['outcome'], { ...dimensions, [DIMENSIONS.outcome]: error.code });
}

function publish(
  metrics: Metrics,
  values: Values,
  finest: readonly (keyof typeof DIMENSIONS)[],
  dimensions: Record<string, string>,
): void {
  for (const [name, value] of Object.entries(values) as [MetricName, number | undefined][]) {
    const kind = METRICS[name];
    if (value !== undefined && finest.includes(kind.finest)) metrics.addMetric(name, kind.unit, value);
  }
  for (const [name, value] of Object.entries(dimensions)) metrics.addDimension(name, value);
  metrics.publishStoredMetrics();
}

function valuesOf(outcome: RequestOutcome, discarded: number): Values {
  const { route, invocation, startedAt, endedAt } = outcome;
  const error = outcome.error?.isCancellation ? undefined : outcome.error;
  if (isRejected(outcome)) return { RequestsRejected: 1 };
  if (!invocation) {
    // A request for an answer that fails before its agent is known counts as a failed invocation. Failures of other
    // routes are only in the log.
    return error && route === 'invoke' ? { InvocationCount: 1, InvocationErrors: 1 } : {};
  }
  const { record, stats } = invocation;
  const firstChunkMs = since(startedAt, record.firstChunkAt);
  // Over http the start of a microVM cannot be told apart from the agent's thinking.
  const isWarm =
    record.retries === 0 &&
    (record.connectionsReused > 0 || (record.upgradeMs ?? WARM_UPGRADE_MS) < WARM_UPGRADE_MS);
  return {
    InvocationCount: 1,
    InvocationErrors: error ? 1 : 0,
    InvocationDuration: endedAt - startedAt,
    InvocationTimeouts: error?.code === 'AgentTimeout' ? 1 : 0,
    IncompleteResponses: invocation.incomplete && error ? 1 : 0,
    FirstChunkLatency: firstChunkMs,
    FirstChunkLatencyWarm: isWarm ? firstChunkMs : undefined,
    ConnectionTime: record.connectionMs,
    ConnectionsOpened: record.connectionsOpened,
    ConnectionsReused: record.connectionsReused,
    ConnectionsDiscarded: discarded,
    ConnectionsPooled: invocation.connectionsPooled,
    ConnectionFailures: record.connectionFailures,
    RetryCount: record.retries,
    ChunkCount: stats.chunks,
    ResponseBytes: stats.bytes,
    InputTokens: stats.usage?.inputTokens,
    OutputTokens: stats.usage?.outputTokens,
    // The value is undefined instead of 0, so that a service without empty answers is not billed for the metric.
    EmptyAnswers: isEmptyAnswer(outcome) ? 1 : undefined,
    ReaderStalled: invocation.readerStalls,
    SessionStoreFailures: invocation.storeFailed === undefined ? undefined : Number(invocation.storeFailed),
  };
}
