import { OUTCOME_CANCELLED, OUTCOME_COMPLETE } from '../contract.ts';
import type { StreamError } from '../errors.ts';
import type { Fields, WriteLine } from './log-line.ts';
import type { RequestOutcome } from './outcome.ts';

/**
 * The statuses of the caller's mistakes. They count only before an agent was reached: a deleted agent answers 404, too.
 */
const REJECTED_STATUS = new Set([400, 404, 405, 413, 415]);

/** Whether a request failed only by the caller's mistake. */
export function isRejected({ error, invocation }: RequestOutcome): boolean {
  if (error?.code === 'SessionBusy') return true;
  return error !== undefined && invocation === undefined && REJECTED_STATUS.has(error.status);
}

/** Returns how a request ended: `complete`, `cancelled`, or the code of its error. */
export function outcomeOf(error: StreamError | undefined): string {
  if (error?.isCancellation) return OUTCOME_CANCELLED;
  return error?.code ?? OUTCOME_COMPLETE;
}

/** Whether an answer is complete but has neither text nor a question. */
export function isEmptyAnswer({ error, invocation }: RequestOutcome): boolean {
  if (error || !invocation) return false;
  const { chunks, interrupted, stopped } = invocation.stats;
  return chunks === 0 && !interrupted && !stopped;
}

/**
 * The status that nginx logs when a caller has left. It is only in the log, because no caller is left to receive it.
 */
const CLIENT_CLOSED_REQUEST = 499;

/** Writes the one line that answers "what happened to this request". */
export function writeSummary(write: WriteLine, outcome: RequestOutcome): void {
  const { route, error, startedAt, endedAt, invocation } = outcome;
  const incomplete = invocation?.incomplete === true;
  const status = error?.isCancellation ? CLIENT_CLOSED_REQUEST : (error?.status ?? 200);
  const fields = {
    route,
    status,
    // The caller received this status: an answer that fails after its beginning has begun with 200.
    http_status: incomplete ? 200 : status,
    outcome: outcomeOf(error),
    duration_ms: Math.round(endedAt - startedAt),
    ...(invocation && invocationFields(invocation, startedAt)),
    ...(error && errorFields(error)),
  };
  if (isEmptyAnswer(outcome)) write('WARN', 'EmptyAnswer', {});
  if (!error) return write('INFO', invocation ? 'Answer finished' : 'Request answered', fields);
  if (error.isCancellation) return write('INFO', 'Answer cancelled', fields);
  if (isRejected(outcome)) return write('WARN', 'Request rejected', fields);
  write('ERROR', incomplete ? 'Answer interrupted' : 'Request failed', { ...fields, error });
}

function errorFields({ code, message, promptSent, retryable, details }: StreamError): Fields {
  return {
    code,
    reason: message,
    hint: details.hint,
    prompt_sent: promptSent,
    retryable,
    upstream_request_id: details.upstreamRequestId,
    // The message of the agent's error is text of the agent and is never logged. Its type, code and length are.
    agent_error_type: details.agentError?.type,
    agent_error_code: details.agentError?.code,
    agent_error_length: details.agentError?.message.length,
  };
}

function invocationFields(
  { promptBytes, record, stats, incomplete, readerStalledMs }: NonNullable<RequestOutcome['invocation']>,
  startedAt: number,
): Fields {
  return {
    prompt_bytes: promptBytes,
    chunks: stats.chunks,
    chunks_received: record.chunksReceived,
    bytes: stats.bytes,
    input_tokens: stats.usage?.inputTokens,
    output_tokens: stats.usage?.outputTokens,
    interrupted: stats.interrupted,
    first_chunk_ms: since(startedAt, record.firstChunkAt),
    connection_ms: record.connectionMs === undefined ? undefined : Math.round(record.connectionMs),
    upgrade_ms: record.upgradeMs === undefined ? undefined : Math.round(record.upgradeMs),
    connection_reused: record.connectionsReused > 0,
    retries: record.retries,
    upstream_request_id: record.upstreamRequestId,
    incomplete,
    reader_stalled_ms: Math.round(readerStalledMs),
    stopped: stats.stopped,
  };
}

/** Returns the whole milliseconds between two moments, if there is a second one. */
export function since(startedAt: number, at: number | undefined): number | undefined {
  return at === undefined ? undefined : Math.round(at - startedAt);
}
