/**
 * The names that the function shares with the code that deploys, runs or calls it. This file imports nothing, so that
 * `lib/` can import it without runtime code.
 */

/** The environment variables of the function other than its limits (`settings.ts`). Only `config.ts` reads them. */
export const ENV = {
  AGENTS: 'AGENTS',
  STAGE: 'STAGE',
  /** Powertools' own variable, whose value is that of the dimension `service`. */
  SERVICE_NAME: 'POWERTOOLS_SERVICE_NAME',
  ENDPOINT_URL: 'AWS_ENDPOINT_URL_BEDROCK_AGENTCORE',
  STACK_STATUS_PREFIX: 'STACK_STATUS_PREFIX',
  SESSION_TABLE: 'SESSION_TABLE',
  SESSION_BINDING: 'SESSION_BINDING',
  USER_ID: 'USER_ID',
  WARM_SESSIONS: 'WARM_SESSIONS',
  /** OpenTelemetry's own variable. */
  OTLP_ENDPOINT: 'OTEL_EXPORTER_OTLP_ENDPOINT',
} as const;

/** As the value of SESSION_TABLE, this means the memory of the process. No table can have this name. */
export const MEMORY_TABLE = ':memory:';

/** Response headers that a cross-origin page may read. */
export const EXPOSED_HEADERS = [
  'X-Session-Id',
  'Retry-After',
  'x-amzn-requestid',
  'X-Error-Code',
  'X-Error-Retryable',
] as const;

/** Request headers that a cross-origin page may send. A fetch that signs with SigV4 adds the x-amz headers. */
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

/** The methods of the routes. HEAD, which is answered like GET, needs no permission to be sent across origins. */
export const ALLOWED_METHODS = ['GET', 'POST', 'DELETE'] as const;

/** How long a browser may keep the answer to a preflight. */
export const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** The default name of the function in logs, metrics and traces. */
export const SERVICE_NAME = 'agentcore-stream';

export const METRIC_NAMESPACE = 'AgentCoreStream';

/** Dimension names. The sets in use are {service}, {service, agent} and {service, agent, outcome}. */
export const DIMENSIONS = { service: 'service', agent: 'agent', outcome: 'outcome' } as const;

/**
 * A metric with its CloudWatch unit and the finest dimension set that it is emitted in. It is emitted in the coarser
 * sets as well. Each set is billed as a separate metric, so the finest set is no finer than an alarm or the dashboard
 * needs.
 */
export interface MetricKind {
  readonly unit: 'Count' | 'Milliseconds' | 'Bytes';
  readonly finest: keyof typeof DIMENSIONS;
  /** Whether the value is a level at one moment, and not an amount that adds up. */
  readonly isGauge?: true;
}

const perService = (unit: MetricKind['unit']) => ({ unit, finest: 'service' }) as const;
const perAgent = (unit: MetricKind['unit']) => ({ unit, finest: 'agent' }) as const;

/** Every metric that a host emits. */
export const METRICS = {
  InvocationCount: perAgent('Count'),
  InvocationDuration: perAgent('Milliseconds'),
  /** Invocations without a complete answer. Only the value 1 is emitted by outcome. */
  InvocationErrors: { unit: 'Count', finest: 'outcome' },
  /** Requests that failed by the caller's mistake: with 400, 404, 405, 413 or 415 before any agent was reached. */
  RequestsRejected: perService('Count'),
  InvocationTimeouts: perAgent('Count'),
  IncompleteResponses: perAgent('Count'),
  FirstChunkLatency: perAgent('Milliseconds'),
  /**
   * The time to the first chunk when no microVM was started: the first attempt succeeded, and the connection was reused
   * or its upgrade took under a second.
   */
  FirstChunkLatencyWarm: perAgent('Milliseconds'),
  ConnectionTime: perAgent('Milliseconds'),
  ConnectionsOpened: perAgent('Count'),
  ConnectionsReused: perAgent('Count'),
  ConnectionsDiscarded: perService('Count'),
  /** The connections that one execution environment keeps when an invocation ends. */
  ConnectionsPooled: { unit: 'Count', finest: 'service', isGauge: true },
  ConnectionFailures: perAgent('Count'),
  RetryCount: perService('Count'),
  ChunkCount: perAgent('Count'),
  ResponseBytes: perAgent('Bytes'),
  /** The tokens that the model read, if the agent reports them. `OutputTokens` are those that it wrote. */
  InputTokens: perAgent('Count'),
  OutputTokens: perAgent('Count'),
  /** Complete answers without any text. */
  EmptyAnswers: perAgent('Count'),
  ReaderStalled: perService('Count'),
  /** Running answers, which each process counts once a minute. */
  StreamsOpen: { unit: 'Count', finest: 'service', isGauge: true },
  /** Running answers that have waited for their first chunk for over a minute. */
  StreamsWaiting: { unit: 'Count', finest: 'agent', isGauge: true },
  /** The age of the oldest running answer. */
  OldestStreamAge: { unit: 'Milliseconds', finest: 'service', isGauge: true },
  /** Answers of which the session store missed a part, so that they may not be readable again. */
  SessionStoreFailures: perService('Count'),
  ColdStart: perService('Count'),
  /** Starts of the server that failed, for example because of a wrong setting. A function has none. */
  ServerStartFailures: perService('Count'),
  /** Processes of the server that ended with an uncaught error. A function has none. */
  ServerCrashes: perService('Count'),
} as const satisfies Record<string, MetricKind>;

export type MetricName = keyof typeof METRICS;

/** The probe's metric of each agent: 1 if the agent did not answer chunk by chunk twice in a row, otherwise 0. */
export const PROBE_METRIC = 'ProbeFailures';

/** Environment variables of the probe. */
export const PROBE_ENV = {
  /** The Function URL. */
  URL: 'PROBED_URL',
  /** `true` if the URL requires no signature. */
  IS_PUBLIC: 'PROBED_URL_IS_PUBLIC',
  /** A JSON array of the agents' ids. */
  AGENTS: 'PROBED_AGENTS',
  /** Value of the dimension `service`. */
  SERVICE_NAME: 'PROBED_SERVICE',
  /** Milliseconds between the attempts. */
  PAUSE_MS: 'PROBE_PAUSE_MS',
} as const;

/** The outcome of an invocation that is complete. An outcome is this, `cancelled`, or the code of an error. */
export const OUTCOME_COMPLETE = 'complete';

/**
 * The outcome of an invocation whose caller has left, which is no failure. Only hosts that notice the caller have it.
 */
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
