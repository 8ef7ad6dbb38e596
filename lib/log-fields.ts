/** Keys of the function's log lines, as Powertools and `lambda/telemetry.ts` write them. */
export const LOG_FIELDS = {
  level: 'level',
  message: 'message',
  requestId: 'function_request_id',
  agent: 'agent',
  sessionId: 'session_id',
  route: 'route',
  status: 'status',
  outcome: 'outcome',
  code: 'code',
  reason: 'reason',
  promptSent: 'prompt_sent',
  upstreamRequestId: 'upstream_request_id',
  agentErrorType: 'agent_error_type',
  chunks: 'chunks',
  bytes: 'bytes',
  durationMs: 'duration_ms',
  firstChunkMs: 'first_chunk_ms',
  connectionMs: 'connection_ms',
  connectionReused: 'connection_reused',
  retries: 'retries',
  delayMs: 'delay_ms',
  incomplete: 'incomplete',
  coldStart: 'cold_start',
} as const;

/** Logs Insights: the latest failures, newest first. */
export const LATEST_ERRORS: readonly string[] = [
  `fields @timestamp, ${[
    LOG_FIELDS.agent,
    LOG_FIELDS.code,
    LOG_FIELDS.status,
    LOG_FIELDS.reason,
    LOG_FIELDS.promptSent,
    LOG_FIELDS.requestId,
    LOG_FIELDS.sessionId,
    LOG_FIELDS.upstreamRequestId,
    LOG_FIELDS.message,
  ].join(', ')}`,
  `filter ${LOG_FIELDS.level} = "ERROR"`,
  'sort @timestamp desc',
  'limit 50',
];
