import type { Exchange, Invocation, InvocationRecord, Message } from '../agentcore/exchange.ts';
import { retrying } from '../agentcore/retry.ts';
import { watchSilence } from '../agentcore/silence.ts';
import { TRANSPORTS } from '../agentcore/transports.ts';
import type { Upstream } from '../agentcore/upstream.ts';
import type { Config } from '../config.ts';
import { StreamError, toStreamError } from '../errors.ts';
import type { ContentEvent, EndEvent } from '../events.ts';
import { Reading } from './reading.ts';

/**
 * Takes events that arrived together. It returns a promise while the reader is behind: await it before further events.
 */
export type EventSink = (events: readonly ContentEvent[]) => Promise<void> | undefined;

/**
 * Sends a prompt to an agent, at most once, and passes the agent's events on until the answer ends.
 *
 * @throws StreamError, whose `promptSent` says whether the agent may have acted
 */
export async function invoke(invocation: Invocation, upstream: Upstream, sink: EventSink): Promise<void> {
  const { agent, abort, record } = invocation;
  const { signal } = abort;
  const start = TRANSPORTS[agent.entry.transport];
  const exchange = await retrying(() => start(invocation, upstream), {
    ...upstream.config,
    budget: upstream.retryBudget,
    signal,
    remainingMs: invocation.remainingMs,
    onFailure: (error, delayMs) => {
      record.connectionFailures += 1;
      if (delayMs === undefined) return;
      record.retries += 1;
      invocation.log.warn('Attempt failed, trying again', {
        code: error.code,
        delay_ms: Math.round(delayMs),
        upstream_request_id: error.upstreamRequestId,
        error,
      });
    },
  });
  try {
    await passOn(exchange, invocation, upstream.config, sink);
  } catch (thrown) {
    // After an abort its reason counts, and not the error that the abort caused.
    const error = signal.aborted ? signal.reason : thrown;
    const failure =
      error instanceof StreamError ? error : (exchange.failure(hasText(record)) ?? toStreamError(error));
    failure.promptSent = true;
    failure.upstreamRequestId ??= record.upstreamRequestId;
    throw failure;
  }
}

/** Passes messages on until the end, and finishes the exchange in every case. */
async function passOn(
  exchange: Exchange,
  invocation: Invocation,
  config: Config,
  sink: EventSink,
): Promise<void> {
  const { agent, abort, log, record } = invocation;
  const silence = watchSilence({
    firstChunkTimeoutMs: agent.entry.firstChunkTimeoutMs ?? config.firstChunkTimeoutMs,
    idleTimeoutMs: agent.entry.idleTimeoutMs ?? config.idleTimeoutMs,
    onTimeout: (error) => abort.abort(error),
    onNoEndMarker: () => log.warn('NoEndMarker'),
  });
  const reading = new Reading({
    exchange,
    invocation,
    maxMessageBytes: config.maxMessageBytes,
    onAnswer: () => silence.heardAnswer(),
  });
  /**
   * Returns a promise only if the reader is behind: most batches are one token, and a promise for each is expensive.
   */
  const pass = (content: readonly ContentEvent[]): Promise<void> | undefined => {
    const full = content.length > 0 ? sink(content) : undefined;
    return full && silence.suspendedDuring(full);
  };
  const take = (messages: readonly Message[]): boolean | Promise<boolean> => {
    silence.heard();
    const full = pass(reading.read(messages));
    return full ? full.then(() => !reading.ending) : !reading.ending;
  };
  /** Returns the end that a close of the connection makes. */
  const endByClose = async (): Promise<EndEvent> => {
    const failure = exchange.failure(hasText(record));
    if (failure) throw failure;
    await pass(reading.close());
    const { ending, hadEvents } = reading;
    if (!ending) throw new StreamError('AgentInterrupted', 'the agent closed before its answer was complete');
    if (!hadEvents && ending.type === 'end') {
      throw new StreamError('AgentFailed', 'the agent closed without an answer');
    }
    return ending;
  };

  try {
    await exchange.receive(take);
    throwIfFailed(reading.ending ?? (await endByClose()));
  } finally {
    silence.stop();
    if (reading.leftOut.count > 0) log.warn('Documents left out', reading.leftOut);
    exchange.finish(reading.taken, reading.end);
  }
}

function hasText({ firstChunkAt }: InvocationRecord): boolean {
  return firstChunkAt !== undefined;
}

function throwIfFailed(ending: EndEvent): void {
  if (ending.type === 'malformed') throw new StreamError('AgentFailed', ending.problem);
  if (ending.type === 'failure') {
    throw new StreamError('AgentFailed', 'the agent reported an error', {
      details: { agentError: ending.agentError },
    });
  }
}
