import { randomUUID } from 'node:crypto';
import { newRecord } from '../agentcore/exchange.ts';
import { retrying } from '../agentcore/retry.ts';
import { stopSession } from '../agentcore/stop-session.ts';
import { warm } from '../agentcore/websocket.ts';
import { StreamError } from '../errors.ts';
import { acceptOrMintSessionId } from '../sessions/session-id.ts';
import { parseObject, refuseEncoded } from './body.ts';
import type { Call } from './call.ts';
import { traceHeaders } from './request.ts';
import { requireAgent } from './requested-agent.ts';
import type { SessionPath } from './routes.ts';
import { namedSession, sessionOf } from './session-of.ts';

/**
 * Starts a session and waits until it is warm, so that the first prompt finds a running microVM.
 *
 * @throws StreamError like an answer that cannot begin
 */
export async function beginSession(call: Call, { agentId }: { agentId: string }): Promise<object> {
  const { request, telemetry, upstream } = call;
  if (!upstream.config.warmSessions) throw new StreamError('NotFound', 'no such route');
  refuseEncoded(request.headers['content-encoding']);
  const body = await request.body();
  const { sessionId: named } = body === '' ? {} : parseObject(body);
  const sessionId = acceptOrMintSessionId(named);
  const agent = requireAgent(upstream.config.agents, agentId, sessionId);
  telemetry.about({ agent: agent.entry.id, session_id: sessionId });
  const { runtimeSession } = sessionOf(call, agent, sessionId);
  const startedAt = performance.now();
  // Over /invocations the session is not warmed: every request there would reach the agent.
  if (agent.entry.transport === 'websocket') {
    await bounded(call, (abort) => {
      return warm(
        { ...runtimeSession, traceHeaders: traceHeaders(request), abort, record: newRecord() },
        upstream,
      );
    });
  }
  const sessionReplaced = named !== undefined && named !== sessionId;
  return {
    sessionId,
    agentId: agent.entry.id,
    startMs: Math.round(performance.now() - startedAt),
    ...(sessionReplaced && { sessionReplaced }),
  };
}

/** Ends the microVM of a session. The agent then forgets the conversation. */
export async function endSession(call: Call, path: SessionPath): Promise<object> {
  const { runtimeSession } = namedSession(call, path);
  const clientToken = randomUUID();
  const stopping = { ...runtimeSession, traceHeaders: traceHeaders(call.request) };
  const ended = await bounded(call, ({ signal }) =>
    stopSession(stopping, clientToken, call.upstream, signal),
  );
  return { ended };
}

/** Repeats an attempt while its failures allow another one, until the call's time is over. */
async function bounded<T>(call: Call, attempt: (abort: AbortController) => Promise<T>): Promise<T> {
  const { config } = call.upstream;
  const abort = new AbortController();
  const limitMs = Math.max(0, call.remainingMs() - config.deadlineReserveMs);
  const deadlineAt = performance.now() + limitMs;
  const timer = setTimeout(
    () => abort.abort(new StreamError('AgentTimeout', 'no time is left')),
    Math.min(limitMs, config.maxDurationMs),
  );
  const { signal } = call;
  const abortAsHost = () => abort.abort(signal?.reason);
  signal?.addEventListener('abort', abortAsHost, { once: true });
  try {
    return await retrying(() => attempt(abort), {
      ...config,
      signal: abort.signal,
      remainingMs: () => deadlineAt - performance.now(),
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abortAsHost);
  }
}
