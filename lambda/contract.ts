/**
 * The names that the function shares with whatever deploys, runs or calls it.
 * A leaf: it imports nothing, so that `lib/` can import it without pulling in runtime code.
 */

/** Environment variables of the function, beside its limits (`settings.ts`). `config.ts` is their only reader. */
export const ENV = {
  AGENTS: 'AGENTS',
  STAGE: 'STAGE',
  /** Powertools' own; the value of the dimension `service`. */
  SERVICE_NAME: 'POWERTOOLS_SERVICE_NAME',
  ENDPOINT_URL: 'AWS_ENDPOINT_URL_BEDROCK_AGENTCORE',
  STACK_STATUS_PREFIX: 'STACK_STATUS_PREFIX',
  SESSION_TABLE: 'SESSION_TABLE',
  SESSION_BINDING: 'SESSION_BINDING',
  USER_ID: 'USER_ID',
  WARM_SESSIONS: 'WARM_SESSIONS',
  /** OpenTelemetry's own. */
  OTLP_ENDPOINT: 'OTEL_EXPORTER_OTLP_ENDPOINT',
} as const;

/** As SESSION_TABLE: the memory of this process. No table can have this name. */
export const MEMORY_TABLE = ':memory:';

/** Response headers that a cross-origin page may read. */
export const EXPOSED_HEADERS = [
  'X-Session-Id',
  'Retry-After',
  'x-amzn-requestid',
  'X-Error-Code',
  'X-Error-Retryable',
] as const;

/** Request headers that a cross-origin page may send; the x-amz ones are what a SigV4-signing fetch adds. */
export const ALLOWED_HEADERS = [
  'content-type',
  'accept',
  'authorization',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'traceparent',
  'last-event-id',
] as const;

/** Of the routes; HEAD, which is answered like GET, needs no leave to be sent across origins. */
export const ALLOWED_METHODS = ['GET', 'POST', 'DELETE'] as const;

/** How long a browser may keep the answer to a preflight. */
export const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** What the function calls itself where nobody named it. */
export const SERVICE_NAME = 'agentcore-stream';

export const METRIC_NAMESPACE = 'AgentCoreStream';

/** Dimension names. The sets in use are {service}, {service, agent} and {service, agent, outcome}. */
export const DIMENSIONS = { service: 'service', agent: 'agent', outcome: 'outcome' } as const;

/**
 * A metric with its CloudWatch unit and the finest of the dimension sets that it is emitted in; the coarser ones
 * have it as well. Each set is billed as a metric of its own, so that it is only as fine as somebody looks.
 */
export interface MetricKind {
  readonly unit: 'Count' | 'Milliseconds' | 'Bytes';
  readonly finest: keyof typeof DIMENSIONS;
  /** A level that is found, not an amount that adds up. */
  readonly isGauge?: true;
}

const perService = (unit: MetricKind['unit']) => ({ unit, finest: 'service' }) as const;
const perAgent = (unit: MetricKind['unit']) => ({ unit, finest: 'agent' }) as const;

/** Every metric that a host emits. */
export const METRICS = {
  InvocationCount: perAgent('Count'),
  InvocationDuration: perAgent('Milliseconds'),
  /** Of the invocations, those that did not end complete; by outcome only where it is 1. */
  InvocationErrors: { unit: 'Count', finest: 'outcome' },
  /** The caller's mistakes: 400, 404, 405, 413 and 415 before any agent was reached. */
  RequestsRejected: perService('Count'),
  InvocationTimeouts: perAgent('Count'),
  IncompleteResponses: perAgent('Count'),
  FirstChunkLatency: perAgent('Milliseconds'),
  /**
   * First chunk where the first attempt succeeded, and the connection was reused or its upgrade took under a second:
   * no microVM was started.
   */
  FirstChunkLatencyWarm: perAgent('Milliseconds'),
  ConnectionTime: perAgent('Milliseconds'),
  ConnectionsOpened: perAgent('Count'),
  ConnectionsReused: perAgent('Count'),
  ConnectionsDiscarded: perService('Count'),
  /** How many are kept when an invocation ends, of one execution environment. */
  ConnectionsPooled: { unit: 'Count', finest: 'service', isGauge: true },
  ConnectionFailures: perAgent('Count'),
  RetryCount: perService('Count'),
  ChunkCount: perAgent('Count'),
  ResponseBytes: perAgent('Bytes'),
  /** Tokens that the model read and wrote, where the agent tells them. */
  InputTokens: perAgent('Count'),
  OutputTokens: perAgent('Count'),
  /** Complete answers without any text. */
  EmptyAnswers: perAgent('Count'),
  ReaderStalled: perService('Count'),
  /** Answers under way, counted once a minute by each process, from its second minute on. */
  StreamsOpen: { unit: 'Count', finest: 'service', isGauge: true },
  /** Of those that have waited for their first chunk for over a minute. */
  StreamsWaiting: { unit: 'Count', finest: 'agent', isGauge: true },
  /** How long the oldest answer under way has been so. */
  OldestStreamAge: { unit: 'Milliseconds', finest: 'service', isGauge: true },
  /** Where sessions are kept: answers of which the store has missed something, and which may not be read again. */
  SessionStoreFailures: perService('Count'),
  ColdStart: perService('Count'),
  /** Starts of the server that failed, for example because of a wrong setting. A function has none. */
  ServerStartFailures: perService('Count'),
  /** Processes of the server that an error which nobody caught has ended. A function has none. */
  ServerCrashes: perService('Count'),
} as const satisfies Record<string, MetricKind>;

export type MetricName = keyof typeof METRICS;

/** What the probe emits of each agent: 1 where it did not answer chunk by chunk, twice in a row, else 0. */
export const PROBE_METRIC = 'ProbeFailures';

/** Environment variables of the probe. */
export const PROBE_ENV = {
  /** Of the Function URL. */
  URL: 'PROBED_URL',
  /** `true` where the URL wants no signature. */
  IS_PUBLIC: 'PROBED_URL_IS_PUBLIC',
  /** A JSON array of ids. */
  AGENTS: 'PROBED_AGENTS',
  /** Value of the dimension `service`. */
  SERVICE_NAME: 'PROBED_SERVICE',
  /** Milliseconds between the attempts. */
  PAUSE_MS: 'PROBE_PAUSE_MS',
} as const;

/** What an invocation ended as: `complete`, `cancelled`, or the code of its error. */
export const OUTCOME_COMPLETE = 'complete';

/** What it ended as where its caller had left before: nobody's failure. Only a host that notices has it. */
export const OUTCOME_CANCELLED = 'cancelled';

export const ERROR_CODES = [
  'BadRequest',
  'Unauthenticated',
  'AccessDenied',
  'AgentNotFound',
  'NotFound',
  'MethodNotAllowed',
  'SessionBusy',
  'PayloadTooLarge',
  'UnsupportedEncoding',
  'Throttled',
  'Internal',
  'AgentFailed',
  'AgentInterrupted',
  'AgentUnavailable',
  'AgentTimeout',
  'ResponseTooLarge',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
