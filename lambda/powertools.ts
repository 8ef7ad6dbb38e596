import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Log } from './agentcore/exchange.ts';
import { DIMENSIONS, METRIC_NAMESPACE, METRICS, type MetricName, OUTCOME_COMPLETE } from './contract.ts';
import type { StreamError } from './errors.ts';
import type { RequestOutcome, Telemetry } from './telemetry.ts';
import type { Span } from './tracing.ts';

/** The caller's mistakes; everything else that is not complete is ours or the agent's. */
const REJECTED_STATUS = new Set([400, 404, 405, 413]);

/** An upgrade that took longer started a microVM. */
const WARM_UPGRADE_MS = 1000;

/** Logs and metrics by hand: Powertools' decorators take a streaming handler's second argument for the context. */
export function createPowertools(serviceName: string): Telemetry {
  const logger = new Logger({ serviceName, jsonReplacerFn: printable });
  // It would warn of every dimension that stands in two sets, as `agent` does on purpose.
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName, logger: quiet });
  let coldStart = true;
  let discarded = 0;

  return {
    request(requestId, isTraced) {
      const isCold = coldStart;
      coldStart = false;
      if (isCold) metrics.captureColdStartMetric();
      logger.refreshSampleRateCalculation();
      const log = logger.createChild({
        persistentKeys: { function_request_id: requestId, cold_start: isCold },
      });
      return {
        log: toLog(log),
        async finish(outcome) {
          const { invocation } = outcome;
          logOutcome(log, outcome);
          publishMetrics(metrics, outcome, discarded);
          if (!invocation) return;
          discarded = 0;
          if (!isTraced) return;
          const span = toSpan(outcome, invocation, isCold);
          // Loaded only now: that blocks for 20 ms and more, and the caller has the whole answer.
          const { sendTrace } = await import('./tracing.ts');
          await sendTrace(span);
        },
      };
    },
    connectionDiscarded(reason, ageMs) {
      discarded += 1;
      logger.info('Connection discarded', { reason, age_ms: ageMs });
    },
  };
}

/** JSON leaves these as they are: terminal controls, and separators at which readers of lines break one. */
function printable(_key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function toLog(logger: Logger): Log {
  return {
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
  };
}

function logOutcome(logger: Logger, { route, error, startedAt, endedAt, invocation }: RequestOutcome): void {
  const durationMs = Math.round(endedAt - startedAt);
  const fields = {
    route,
    status: error?.status ?? 200,
    outcome: error?.code ?? OUTCOME_COMPLETE,
    duration_ms: durationMs,
    ...(error && errorFields(error)),
    ...(invocation && invocationFields(invocation, startedAt)),
  };
  if (!error) return logger.info(invocation ? 'Answer finished' : 'Request answered', fields);
  if (!isFailure(error) && !invocation?.incomplete) return logger.warn('Request rejected', fields);
  logger.error(invocation?.incomplete ? 'Answer interrupted' : 'Request failed', { ...fields, error });
}

function errorFields({
  code,
  message,
  promptSent,
  retryable,
  details,
}: StreamError): Record<string, unknown> {
  return {
    code,
    reason: message,
    prompt_sent: promptSent,
    retryable,
    upstream_request_id: details.upstreamRequestId,
    // What the agent said is its text: never logged, but what kind it was and how long.
    agent_error_type: details.agentError?.type,
    agent_error_code: details.agentError?.code,
    agent_error_length: details.agentError?.message.length,
  };
}

function invocationFields(
  { agent, sessionId, promptBytes, record, stats, incomplete }: NonNullable<RequestOutcome['invocation']>,
  startedAt: number,
): Record<string, unknown> {
  return {
    agent,
    session_id: sessionId,
    prompt_bytes: promptBytes,
    chunks: stats.chunks,
    bytes: stats.bytes,
    first_chunk_ms: since(startedAt, record.firstChunkAt),
    connection_ms: rounded(record.connectionMs),
    connection_reused: record.connectionsReused > 0,
    retries: record.retries,
    incomplete,
  };
}

function publishMetrics(metrics: Metrics, outcome: RequestOutcome, discarded: number): void {
  const { error, invocation, startedAt, endedAt } = outcome;
  const add = (name: MetricName, value: number | undefined) => {
    if (value !== undefined) metrics.addMetric(name, METRICS[name], value);
  };
  const isError = error !== undefined && (isFailure(error) || invocation?.incomplete === true);
  if (error && !isError) add('RequestsRejected', 1);
  // A failure before there was an agent is one, too.
  if (isError || invocation) add('InvocationErrors', isError ? 1 : 0);
  if (invocation) {
    const { record, stats } = invocation;
    const firstChunkMs = since(startedAt, record.firstChunkAt);
    // Over http the start of a microVM cannot be told from the agent's thinking.
    const isWarm = record.connectionsReused > 0 || (record.upgradeMs ?? WARM_UPGRADE_MS) < WARM_UPGRADE_MS;
    add('InvocationCount', 1);
    add('InvocationDuration', endedAt - startedAt);
    add('InvocationTimeouts', error?.code === 'AgentTimeout' ? 1 : 0);
    add('IncompleteResponses', invocation.incomplete ? 1 : 0);
    add('FirstChunkLatency', firstChunkMs);
    if (isWarm) add('FirstChunkLatencyWarm', firstChunkMs);
    add('ConnectionTime', record.connectionMs);
    add('ConnectionsOpened', record.connectionsOpened);
    add('ConnectionsReused', record.connectionsReused);
    add('ConnectionsDiscarded', discarded);
    add('ConnectionsPooled', invocation.connectionsPooled);
    add('ConnectionFailures', record.connectionFailures);
    add('RetryCount', record.retries);
    add('ChunkCount', stats.chunks);
    add('ResponseBytes', stats.bytes);
    add('ReaderStalled', invocation.readerStalls);
  }
  if (!metrics.hasStoredMetrics()) return;
  metrics.addDimensions({});
  if (invocation) {
    metrics.addDimensions({ [DIMENSIONS.agent]: invocation.agent });
    metrics.addDimensions({
      [DIMENSIONS.agent]: invocation.agent,
      [DIMENSIONS.outcome]: error?.code ?? OUTCOME_COMPLETE,
    });
  }
  metrics.publishStoredMetrics();
}

/** The invocation with connect, first chunk and stream as its parts. */
function toSpan(
  { error, startedAt, endedAt }: RequestOutcome,
  { agent, sessionId, record }: NonNullable<RequestOutcome['invocation']>,
  coldStart: boolean,
): Span {
  // By the present: a frozen environment's monotonic clock may have stood still.
  const offset = Date.now() - performance.now();
  const epochMs = (at: number) => offset + at;
  const { connectedAt, connectionMs, promptSentAt, firstChunkAt } = record;
  const part = (name: string, from: number | undefined, to: number | undefined): Span[] =>
    from === undefined || to === undefined ? [] : [{ name, startMs: epochMs(from), endMs: epochMs(to) }];
  return {
    name: '## invoke',
    startMs: epochMs(startedAt),
    endMs: epochMs(endedAt),
    annotations: { agent, session: sessionId, ColdStart: coldStart },
    ...(error && { fault: error.code }),
    children: [
      ...part(
        'connect',
        connectedAt === undefined ? undefined : connectedAt - (connectionMs ?? 0),
        connectedAt,
      ),
      ...part('first chunk', promptSentAt, firstChunkAt),
      ...part('stream', firstChunkAt, endedAt),
    ],
  };
}

function isFailure(error: StreamError): boolean {
  return !REJECTED_STATUS.has(error.status);
}

function since(startedAt: number, at: number | undefined): number | undefined {
  return at === undefined ? undefined : rounded(at - startedAt);
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
