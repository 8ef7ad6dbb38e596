import { Connection, type ConnectionExchange } from './connection.ts';
import type { Exchange, Invocation, Log, SessionOpening, SessionRequest } from './exchange.ts';
import { openSignedSocket, runtimeRequest } from './signed-socket.ts';
import { signUpgrade } from './signing.ts';
import { isOfService } from './socket-failures.ts';
import { upgrade } from './upgrade.ts';
import type { Upstream } from './upstream.ts';

/** The key of a kept connection, which belongs to one user of one session. */
export function connectionKeyOf({ agent, sessionId, userId = '' }: SessionRequest): string {
  return `${agent.arn.text} ${agent.entry.qualifier} ${sessionId} ${userId}`;
}

/**
 * Opens the connection of a session and keeps it for the first turn. This starts the session's microVM, because
 * AgentCore answers an upgrade only when it is up. The agent is sent nothing.
 *
 * @throws StreamError when the connection cannot be opened
 */
export async function warm(opening: SessionOpening, upstream: Upstream): Promise<void> {
  const { pool } = upstream;
  const key = connectionKeyOf(opening);
  const open = (signal: AbortSignal) => openSigned(opening, upstream, signal);
  const { connection } = await pool.acquire(key, open, opening.abort.signal);
  if (!pool.release(key, connection)) connection.close();
}

/** Hands the prompt over on the session's connection, a kept one if there is one. */
export async function overWebSocket(invocation: Invocation, upstream: Upstream): Promise<Exchange> {
  const { abort, record, log } = invocation;
  const { pool } = upstream;
  const key = connectionKeyOf(invocation);
  const open = (signal: AbortSignal) => openSigned(invocation, upstream, signal);

  const { connection, reused } = await pool.acquire(key, open, abort.signal);
  try {
    await invocation.admission?.();
    abort.signal.throwIfAborted();
  } catch (error) {
    // Nothing was sent: the connection can serve the next turn.
    if (!pool.release(key, connection)) {
      logClose(connection, log);
      connection.abandon();
    }
    throw error;
  }
  const { receive, followsUnmarked, finish } = startExchange(connection, invocation);
  record.promptSentAt = performance.now();
  record.upstreamRequestId = connection.upstreamRequestId;
  if (reused) {
    record.connectionsReused += 1;
    // A handshake may have run beside the ping without being needed, and its times were recorded.
    delete record.connectionMs;
    delete record.upgradeMs;
    delete record.connectedAt;
  } else record.connectionsOpened += 1;
  log.info(reused ? 'Connection reused' : 'Connection opened', {
    age_ms: Date.now() - connection.openedAt,
    upstream_request_id: connection.upstreamRequestId,
    ...(!reused && { connection_ms: round(record.connectionMs), upgrade_ms: round(record.upgradeMs) }),
  });
  return {
    receive,
    followsUnmarked,
    failure: (hasText) => connection.failure(hasText),
    finish: (taken, end) => {
      finish(taken, end);
      const isDrained = end !== undefined && connection.isReusable;
      if (isDrained && pool.release(key, connection)) return;
      logClose(connection, log);
      if (isDrained) connection.close();
      else connection.abandon();
    },
  };
}

/** Starts the exchange. If it cannot start, the connection is closed, because no one else owns it. */
function startExchange(connection: Connection, { input, abort, log }: Invocation): ConnectionExchange {
  try {
    return connection.exchange(input, abort.signal);
  } catch (error) {
    logClose(connection, log);
    connection.abandon();
    throw error;
  }
}

function logClose({ closed, openedAt }: Connection, log: Log): void {
  log.info('Connection closed', {
    // Absent when this side closes the connection.
    close_code: closed?.code,
    // The agent's own words must not reach the log.
    close_reason: closed && isOfService(closed.reason) ? closed.reason : undefined,
    close_reason_length: closed?.reason.length,
    age_ms: Date.now() - openedAt,
  });
}

async function openSigned(
  request: SessionOpening,
  { config, credentials }: Upstream,
  signal: AbortSignal,
): Promise<Connection> {
  const { record, agent, sessionId } = request;
  const { connectTimeoutMs, handshakeTimeoutMs, maxMessageBytes, pingIntervalMs } = config;
  const startedAt = performance.now();
  const [signed, socket] = await openSignedSocket(
    signUpgrade(runtimeRequest(request), credentials),
    agent.origin,
    { connectTimeoutMs, signal },
  );
  const dialledAt = performance.now();
  const upgraded = await upgrade(signed, { socket, handshakeTimeoutMs, maxMessageBytes, signal });
  record.connectedAt = performance.now();
  record.upgradeMs = record.connectedAt - dialledAt;
  record.connectionMs = record.connectedAt - startedAt;
  return new Connection(upgraded, pingIntervalMs, { agent: agent.entry.id, sessionId });
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
