import type { RequestOutcome } from './outcome.ts';

/** A stretch of time. Times are milliseconds since the epoch. */
export interface Stretch {
  name: string;
  startMs: number;
  endMs: number;
}

/** An invocation as a trace has it, whoever writes it: X-Ray or OpenTelemetry. It holds no text of prompt or answer. */
export interface InvocationSpan extends Omit<Stretch, 'name'> {
  agent: string;
  sessionId: string;
  coldStart: boolean;
  /** What went wrong; its code only, as messages may be long. */
  fault?: string;
  /** From the request to the agent's first text, milliseconds. */
  firstChunkMs?: number;
  inputTokens?: number;
  outputTokens?: number;
  /** AgentCore's id of the upgrade or request. */
  upstreamRequestId?: string;
  /** Connect, first chunk and stream, as far as it came. */
  parts: Stretch[];
}

/** Makes a span of what was noted during an invocation. */
export function toSpan(
  { error, startedAt, endedAt }: RequestOutcome,
  { agent, sessionId, record, stats }: NonNullable<RequestOutcome['invocation']>,
  coldStart: boolean,
): InvocationSpan {
  // By the present: a frozen environment's monotonic clock may have stood still.
  const offset = Date.now() - performance.now();
  const { connectedAt, connectionMs, promptSentAt, firstChunkAt, upstreamRequestId } = record;
  const { inputTokens, outputTokens } = stats.usage ?? {};
  const part = (name: string, from: number | undefined, to: number | undefined): Stretch[] =>
    from === undefined || to === undefined ? [] : [{ name, startMs: offset + from, endMs: offset + to }];
  return {
    startMs: offset + startedAt,
    endMs: offset + endedAt,
    agent,
    sessionId,
    coldStart,
    ...(error && { fault: error.code }),
    ...(firstChunkAt !== undefined && { firstChunkMs: firstChunkAt - startedAt }),
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    ...(upstreamRequestId !== undefined && { upstreamRequestId }),
    parts: [
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
