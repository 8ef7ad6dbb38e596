import type { Socket } from 'node:net';
import type { AgentEntry } from '../agents.ts';
import type { Config } from '../config.ts';
import { Connection, type ConnectionExchange } from './connection.ts';
import type { Exchange, Invocation, Log } from './exchange.ts';
import { postInvocation } from './http.ts';
import type { ConnectionPool } from './pool.ts';
import { type CredentialProvider, type SignedRequest, signInvocation, signUpgrade } from './signing.ts';
import { assertUsable, type DialOptions, dial } from './socket.ts';
import { isOfService } from './socket-failures.ts';
import { upgrade } from './upgrade.ts';

/** What outlives an invocation. */
export interface Upstream {
  config: Config;
  credentials: CredentialProvider;
  pool: ConnectionPool;
}

/**
 * Hands the prompt over.
 *
 * @throws StreamError while it has not been: nothing was sent
 */
type Start = (invocation: Invocation, upstream: Upstream) => Promise<Exchange>;

export const TRANSPORTS: Record<AgentEntry['transport'], Start> = {
  websocket: overWebSocket,
  http: overHttp,
};

async function overWebSocket(invocation: Invocation, upstream: Upstream): Promise<Exchange> {
  const { agent, sessionId, abort, record, log } = invocation;
  const { pool } = upstream;
  const key = `${agent.arn.arn} ${agent.entry.qualifier} ${sessionId}`;
  const open = (signal: AbortSignal) => openSigned(invocation, upstream, signal);

  const { connection, reused } = await pool.acquire(key, open, abort.signal);
  const { messages, finish } = begin(connection, invocation);
  record.promptSentAt = performance.now();
  record.upstreamRequestId = connection.upstreamRequestId;
  if (reused) {
    record.connectionsReused += 1;
    // A handshake that ran beside the ping, and lost, has left its times.
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
    messages,
    lost: () => connection.failure(),
    finish: (taken, complete) => {
      finish(taken);
      const isDrained = complete && connection.isReusable;
      if (isDrained && pool.release(key, connection)) return;
      logClose(connection, log);
      if (isDrained) connection.close();
      else connection.abandon();
    },
  };
}

/** A connection that cannot begin its exchange is nobody's any more. */
function begin(connection: Connection, { input, abort, log }: Invocation): ConnectionExchange {
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
    // Absent where it is closed from here.
    close_code: closed?.code,
    // The agent's own words are not logged.
    close_reason: closed && isOfService(closed.reason) ? closed.reason : undefined,
    close_reason_length: closed?.reason.length,
    age_ms: Date.now() - openedAt,
  });
}

async function openSigned(
  invocation: Invocation,
  { config, credentials }: Upstream,
  signal: AbortSignal,
): Promise<Connection> {
  const { record, agent, sessionId } = invocation;
  const { connectTimeoutMs, handshakeTimeoutMs, maxMessageBytes, pingIntervalMs } = config;
  const startedAt = performance.now();
  const [signed, socket] = await signedAndDialled(
    signUpgrade(runtimeRequest(invocation), credentials),
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
  const [signed, socket] = await signedAndDialled(signInvocation(request, body, credentials), agent.origin, {
    connectTimeoutMs,
    signal,
  });
  const connectedAt = performance.now();
  record.connectedAt = connectedAt;
  record.connectionMs = connectedAt - startedAt;
  record.connectionsOpened += 1;
  record.promptSentAt = connectedAt;
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

function runtimeRequest(
  { agent, sessionId, traceHeaders }: Invocation,
  headers: Record<string, string> = {},
) {
  return {
    arn: agent.arn,
    origin: agent.origin,
    qualifier: agent.entry.qualifier,
    sessionId,
    headers: { ...traceHeaders, ...headers },
  };
}

/**
 * Signs and connects side by side: the one takes about a millisecond, the other several. Where one of them fails, or
 * the invocation is over before, the other is not left behind.
 */
async function signedAndDialled(
  signing: Promise<SignedRequest>,
  origin: URL,
  { connectTimeoutMs, signal }: DialOptions,
): Promise<[SignedRequest, Socket]> {
  const abandon = new AbortController();
  const over = AbortSignal.any([signal, abandon.signal]);
  const dialling = dial(origin, { connectTimeoutMs, signal: over });
  try {
    // Credentials may be asked of somebody who does not answer.
    const both = await Promise.race([Promise.all([signing, dialling]), rejectionOf(over)]);
    assertUsable(both[1]);
    return both;
  } catch (error) {
    dialling.then((socket) => socket.destroy()).catch(() => {});
    throw error;
  } finally {
    // Also in the end of a good one: Node.js holds a combined signal for as long as somebody listens to it.
    abandon.abort(new Error('the connection is there, or will not be'));
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  rejection.catch(() => {});
  return rejection;
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
