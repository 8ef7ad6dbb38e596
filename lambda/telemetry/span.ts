import type { RequestOutcome } from './outcome.ts';

/** A named stretch of time. Its times are milliseconds since the epoch. */
export interface Stretch {
  name: string;
  startMs: number;
  endMs: number;
}

/** An invocation in a trace, for X-Ray and for OpenTelemetry. It contains no text of prompt or answer. */
export interface InvocationSpan extends Omit<Stretch, 'name'> {
  agent: string;
  sessionId: string;
  coldStart: boolean;
  /** The code of the error. Its message is left out, because it may be long. */
  fault?: string;
  /** Milliseconds from the request to the agent's first text. */
  firstChunkMs?: number;
  inputTokens?: number;
  outputTokens?: number;
  /** AgentCore's id of the upgrade or request. */
  upstreamRequestId?: string;
  /** The parts connect, first chunk and stream, as far as the invocation got. */
  parts: Stretch[];
}

/** Makes a span from the notes that were taken during an invocation. */
export function toSpan(
  { error, startedAt, endedAt }: RequestOutcome,
  { agent, sessionId, record, stats }: NonNullable<RequestOutcome['invocation']>,
  coldStart: boolean,
): InvocationSpan {
  // The offset of the clocks is taken now, because the monotonic clock of a frozen environment may have stood still.
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
