/** The keys of the function's log lines, as Powertools and `lambda/telemetry/` write them. */
export const LOG_FIELDS = {
  level: 'level',
  message: 'message',
  requestId: 'function_request_id',
  agent: 'agent',
  sessionId: 'session_id',
  route: 'route',
  status: 'status',
  httpStatus: 'http_status',
  outcome: 'outcome',
  code: 'code',
  reason: 'reason',
  cause: 'cause',
  hint: 'hint',
  /** It has the fields `error.name`, `error.message` and `error.stack`. */
  error: 'error',
  promptSent: 'prompt_sent',
  upstreamRequestId: 'upstream_request_id',
  agentErrorType: 'agent_error_type',
  chunks: 'chunks',
  chunksReceived: 'chunks_received',
  bytes: 'bytes',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  durationMs: 'duration_ms',
  firstChunkMs: 'first_chunk_ms',
  connectionMs: 'connection_ms',
  upgradeMs: 'upgrade_ms',
  connectionReused: 'connection_reused',
  retries: 'retries',
  delayMs: 'delay_ms',
  incomplete: 'incomplete',
  readerStalledMs: 'reader_stalled_ms',
  coldStart: 'cold_start',
  /** Only the probe writes this key. */
  attempt: 'attempt',
} as const;

const {
  agent,
  agentErrorType,
  code,
  cause,
  hint,
  level,
  message,
  promptSent,
  reason,
  requestId,
  route,
  sessionId,
} = LOG_FIELDS;

/**
 * A Logs Insights query for the causes of failures: the agent, the code, the reason, what to check, the type of error
 * that the agent itself reported, and one of the requests.
 */
export const FAILURES_BY_CAUSE: readonly string[] = [
  `fields @timestamp, ${[agent, code, reason, cause, hint, agentErrorType, requestId].join(', ')}`,
  `filter ${level} = "ERROR" and ${route} = "invoke"`,
  `stats count(*) as failures, latest(${cause}) as latest_cause, latest(${hint}) as check_this, latest(${agentErrorType}) as agent_error, latest(${requestId}) as a_request by ${[agent, code, reason].join(', ')}`,
  'sort failures desc',
  'limit 20',
];

/**
 * A Logs Insights query for the latest failures, newest first. Lambda writes the reason of a failed cold start to
 * `message.errorMessage`.
 */
export const LATEST_ERRORS: readonly string[] = [
  `fields @timestamp, ${[
    agent,
    code,
    cause,
    hint,
    reason,
    LOG_FIELDS.httpStatus,
    promptSent,
    requestId,
    sessionId,
    LOG_FIELDS.upstreamRequestId,
    message,
    `${message}.errorMessage`,
  ].join(', ')}`,
  `filter ${level} = "ERROR"`,
  'sort @timestamp desc',
  'limit 50',
];
