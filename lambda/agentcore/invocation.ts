import type { Agent } from '../agents.ts';
import type { Config } from '../config.ts';
import { StreamError, toStreamError } from '../errors.ts';
import { type Connection, openConnection } from './connection.ts';
import type { Exchange, InvocationRecord, Log } from './exchange.ts';
import { createDecoder, type Decoder, type Item } from './frames.ts';
import { postInvocation } from './http.ts';
import type { ConnectionPool } from './pool.ts';
import { retrying } from './retry.ts';
import { type CredentialProvider, signInvocation, signUpgrade } from './signing.ts';
import { watchSilence } from './silence.ts';
import { dial } from './socket.ts';

/** One prompt to one agent. */
export interface Invocation {
  agent: Agent;
  prompt: string;
  sessionId: string;
  /** Trace headers for the upstream request, names in lower case. */
  traceHeaders: Record<string, string>;
  /** Ends the invocation; its signal's reason is the StreamError that is reported. */
  abort: AbortController;
  /** Milliseconds until the invocation will be aborted for time. */
  remainingMs: () => number;
  record: InvocationRecord;
  log: Log;
}

/** What outlives an invocation. */
export interface Upstream {
  config: Config;
  credentials: CredentialProvider;
  pool: ConnectionPool;
}

/** Takes the texts of one message; returns a promise when the reader is behind, to be awaited before the next. */
export type TextSink = (texts: string[]) => Promise<void> | undefined;

/**
 * Sends a prompt to an agent, at most once, and passes its text on until the answer has ended.
 *
 * @throws StreamError, with `promptSent` telling whether the agent may have acted
 */
export async function invoke(invocation: Invocation, upstream: Upstream, sink: TextSink): Promise<void> {
  const { agent, abort, record } = invocation;
  const { signal } = abort;
  const start = agent.entry.transport === 'http' ? overHttp : overWebSocket;
  const exchange = await retrying(() => start(invocation, upstream), {
    ...upstream.config,
    signal,
    remainingMs: invocation.remainingMs,
    onFailure: (error, delayMs) => {
      record.connectionFailures += 1;
      if (delayMs === undefined) return;
      record.retries += 1;
      invocation.log.warn('Attempt failed, trying again', {
        code: error.code,
        delay_ms: Math.round(delayMs),
        error,
      });
    },
  });
  try {
    await relay(exchange, invocation, upstream.config, sink);
  } catch (thrown) {
    // An aborted iteration throws an error of its own; the reason says why it was aborted.
    const error = signal.aborted ? signal.reason : thrown;
    const failure = error instanceof StreamError ? error : (exchange.lost() ?? toStreamError(error));
    failure.promptSent = true;
    throw failure;
  }
}

/** Passes messages on until the end; on every way out the exchange is finished. */
async function relay(
  exchange: Exchange,
  invocation: Invocation,
  config: Config,
  sink: TextSink,
): Promise<void> {
  const { agent, abort, log, record } = invocation;
  const silence = watchSilence({
    firstChunkTimeoutMs: agent.entry.firstChunkTimeoutMs ?? config.firstChunkTimeoutMs,
    idleTimeoutMs: agent.entry.idleTimeoutMs ?? config.idleTimeoutMs,
    onTimeout: (error) => abort.abort(error),
    onNoEndMarker: () => log.warn('NoEndMarker', { agent: agent.entry.id }),
  });
  let decoder: Decoder | undefined;
  let taken = 0;
  let complete = false;

  const passTexts = (items: Item[]): Promise<void> | undefined => {
    const texts = textsBeforeEnding(items);
    silence.heard(texts.length > 0);
    if (texts.length === 0) return undefined;
    record.firstChunkAt ??= performance.now();
    const full = sink(texts);
    return full && silence.suspendedDuring(full);
  };
  /** Whether these items hold the end; throws when they hold a failure. */
  const isEnded = (items: Item[]): boolean => {
    const at = items.findIndex((item) => item.type !== 'chunk');
    const ending = items[at];
    if (ending?.type === 'failure') throw agentFailed(ending.agentError);
    if (ending?.type === 'malformed') throw new StreamError('AgentFailed', ending.problem);
    // Whatever follows the end would be read as the next answer.
    complete = ending !== undefined && items.slice(at).every((item) => item.type === 'end');
    return ending !== undefined;
  };

  try {
    for await (const [bytes, isBinary] of exchange.messages) {
      taken += 1;
      decoder ??= createDecoder({
        ...agent.entry,
        maxEventLength: config.maxMessageBytes,
        ...exchange.decoding?.(),
      });
      const items = decoder.decode(bytes, isBinary);
      const full = passTexts(items);
      if (full) await full;
      if (isEnded(items)) return;
    }
    const lost = exchange.lost();
    if (lost) throw lost;
    const rest = decoder?.flush() ?? [];
    await passTexts(rest);
    if (!isEnded(rest) && record.firstChunkAt === undefined) {
      throw new StreamError('AgentFailed', 'the agent closed without an answer');
    }
  } finally {
    silence.stop();
    exchange.finish(taken, complete);
  }
}

function textsBeforeEnding(items: Item[]): string[] {
  const texts: string[] = [];
  for (const item of items) {
    if (item.type !== 'chunk') break;
    texts.push(item.text);
  }
  return texts;
}

function agentFailed(agentError: NonNullable<StreamError['details']['agentError']>): StreamError {
  return new StreamError('AgentFailed', 'the agent reported an error', { details: { agentError } });
}

async function overWebSocket(
  invocation: Invocation,
  { config, credentials, pool }: Upstream,
): Promise<Exchange> {
  const { agent, sessionId, prompt, abort, record, log } = invocation;
  const key = `${agent.arn.arn} ${agent.entry.qualifier} ${sessionId}`;
  const open = (signal: AbortSignal) => openSigned(invocation, config, credentials, signal);

  const { connection, reused } = await pool.acquire(key, open, abort.signal);
  const { messages, finish } = connection.exchange(JSON.stringify({ prompt, sessionId }), abort.signal);
  record.promptSentAt = performance.now();
  if (reused) {
    record.connectionsReused += 1;
    // A handshake that ran beside the ping, and lost, has left its times.
    delete record.connectionMs;
    delete record.upgradeMs;
    delete record.connectedAt;
  } else record.connectionsOpened += 1;
  log.info(reused ? 'Connection reused' : 'Connection opened', {
    age_ms: Date.now() - connection.openedAt,
    ...(!reused && { connection_ms: round(record.connectionMs), upgrade_ms: round(record.upgradeMs) }),
  });
  return {
    messages,
    lost: () => connection.failure(),
    finish: (taken, complete) => {
      const drained = finish(taken);
      if (complete && drained && connection.isOpen) return pool.release(key, connection);
      connection.close();
      logClosed(connection, log);
    },
  };
}

async function openSigned(
  invocation: Invocation,
  config: Config,
  credentials: CredentialProvider,
  signal: AbortSignal,
): Promise<Connection> {
  const { record } = invocation;
  const startedAt = performance.now();
  // Signing takes about a millisecond, a connection several: they run side by side.
  const [upgrade, socket] = await both(
    signUpgrade(runtimeRequest(invocation), credentials),
    dial(invocation.agent.origin, { connectTimeoutMs: config.connectTimeoutMs, signal }),
  );
  const dialledAt = performance.now();
  const connection = await openConnection(upgrade, { ...config, socket, signal });
  record.connectedAt = performance.now();
  record.upgradeMs = record.connectedAt - dialledAt;
  record.connectionMs = record.connectedAt - startedAt;
  return connection;
}

async function overHttp(invocation: Invocation, { config, credentials }: Upstream): Promise<Exchange> {
  const { prompt, sessionId, abort, record } = invocation;
  const body = JSON.stringify({ prompt, sessionId });
  const request = runtimeRequest(invocation, {
    'content-type': 'application/json',
    accept: 'text/event-stream, application/json',
  });
  const startedAt = performance.now();
  const [signed, socket] = await both(
    signInvocation(request, body, credentials),
    dial(invocation.agent.origin, { connectTimeoutMs: config.connectTimeoutMs, signal: abort.signal }),
  );
  record.connectedAt = performance.now();
  record.connectionMs = record.connectedAt - startedAt;
  record.connectionsOpened += 1;
  record.promptSentAt = record.connectedAt;
  return postInvocation(signed, body, {
    socket,
    maxMessageBytes: config.maxMessageBytes,
    signal: abort.signal,
  });
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

/** Both results; when the first fails the socket is not left behind. */
async function both<T, S extends { destroy(): void }>(
  first: Promise<T>,
  second: Promise<S>,
): Promise<[T, S]> {
  try {
    return await Promise.all([first, second]);
  } catch (error) {
    second.then((socket) => socket.destroy()).catch(() => {});
    throw error;
  }
}

function logClosed({ closed, openedAt }: Connection, log: Log): void {
  // The reason may be the agent's own words, which are not logged.
  log.info('Connection closed', {
    close_code: closed?.code,
    close_reason_length: closed?.reason.length,
    age_ms: Date.now() - openedAt,
  });
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
