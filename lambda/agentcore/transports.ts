import type { AgentEntry } from '../agents.ts';
import type { Exchange, Invocation } from './exchange.ts';
import { postInvocation } from './http.ts';
import { openSignedSocket, runtimeRequest } from './signed-socket.ts';
import { signInvocation } from './signing.ts';
import { assertUsable } from './socket.ts';
import type { Upstream } from './upstream.ts';
import { overWebSocket } from './websocket.ts';

/**
 * Hands the prompt over.
 *
 * @throws StreamError when nothing was sent
 */
type Start = (invocation: Invocation, upstream: Upstream) => Promise<Exchange>;

export const TRANSPORTS: Record<AgentEntry['transport'], Start> = {
  websocket: overWebSocket,
  http: overHttp,
};

async function overHttp(invocation: Invocation, { config, credentials }: Upstream): Promise<Exchange> {
  const { agent, abort, record, log } = invocation;
  const { connectTimeoutMs } = config;
  const { signal } = abort;
  const body = invocation.input;
  const request = runtimeRequest(invocation, {
    'content-type': 'application/json',
    accept: 'text/event-stream, application/json',
  });
  const startedAt = performance.now();
  const [signed, socket] = await openSignedSocket(signInvocation(request, body, credentials), agent.origin, {
    connectTimeoutMs,
    signal,
  });
  const connectedAt = performance.now();
  record.connectedAt = connectedAt;
  record.connectionMs = connectedAt - startedAt;
  record.connectionsOpened += 1;
  try {
    await invocation.admission?.();
    signal.throwIfAborted();
  } catch (error) {
    socket.destroy();
    throw error;
  }
  assertUsable(socket);
  record.promptSentAt = performance.now();
  log.info('Connection opened', { age_ms: 0, connection_ms: round(record.connectionMs) });
  const exchange = postInvocation(signed, body, {
    socket,
    signal,
    onAnswer: (upstreamRequestId) => {
      record.upstreamRequestId = upstreamRequestId;
    },
  });
  return {
    ...exchange,
    finish: (taken, complete) => {
      log.info('Connection closed', { age_ms: round(performance.now() - connectedAt) });
      exchange.finish(taken, complete);
    },
  };
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
