import type { Exchange, Invocation, InvocationRecord } from '../agentcore/exchange.ts';
import { retrying } from '../agentcore/retry.ts';
import { watchSilence } from '../agentcore/silence.ts';
import { TRANSPORTS } from '../agentcore/transports.ts';
import type { Upstream } from '../agentcore/upstream.ts';
import type { Config } from '../config.ts';
import { StreamError, toStreamError } from '../errors.ts';
import { type AnswerEvent, type ContentEvent, type EndEvent, isEnd } from '../events.ts';
import { createDecoder, type Decoder } from './decoder.ts';

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
    // An aborted iteration throws its own error, but the reason for the abort is in the signal.
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
  let decoder: Decoder | undefined;
  let taken = 0;
  let ending: EndEvent | undefined;
  let hadEvents = false;
  const leftOut = { count: 0, characters: 0 };
  const decoderOf = (): Decoder => {
    const bodyType = exchange.bodyType?.();
    return createDecoder({
      ...agent.entry,
      ...(bodyType !== undefined && { bodyType }),
      ...(exchange.followsUnmarked && { followsUnmarked: true }),
      maxDocumentLength: config.maxMessageBytes,
      onLeftOut: (length) => {
        leftOut.count += 1;
        leftOut.characters += length;
      },
    });
  };

  /** Adds events to the content, notes the end, and records first texts and questions. */
  const take = (events: readonly AnswerEvent[], content: ContentEvent[]): void => {
    for (const event of events) {
      if (isEnd(event)) {
        ending = event;
        continue;
      }
      hadEvents = true;
      if (isText(event)) {
        record.firstChunkAt ??= performance.now();
        record.chunksReceived += 1;
      }
      if (event.type === 'interrupt') record.interrupted = true;
      if (event.type !== 'data' || event.inline) silence.heardAnswer();
      content.push(event);
    }
  };
  /**
   * Returns a promise only if the reader is behind: most batches are one token, and a promise for each is expensive.
   */
  const pass = (content: readonly ContentEvent[]): Promise<void> | undefined => {
    const full = content.length > 0 ? sink(content) : undefined;
    return full && silence.suspendedDuring(full);
  };

  try {
    for await (const messages of exchange.messages) {
      silence.heard();
      const content: ContentEvent[] = [];
      for (const [bytes, isBinary] of messages) {
        taken += 1;
        decoder ??= decoderOf();
        take(decoder.decode(bytes, isBinary), content);
        if (ending) break;
      }
      const full = pass(content);
      if (full) await full;
      if (ending) return throwIfFailed(ending);
    }
    const failure = exchange.failure(hasText(record));
    if (failure) throw failure;
    decoder ??= decoderOf();
    const content: ContentEvent[] = [];
    take(decoder.close(), content);
    await pass(content);
    if (!ending) throw new StreamError('AgentInterrupted', 'the agent closed before its answer was complete');
    if (!hadEvents && ending.type === 'end') {
      throw new StreamError('AgentFailed', 'the agent closed without an answer');
    }
    return throwIfFailed(ending);
  } finally {
    silence.stop();
    if (leftOut.count > 0) log.warn('Documents left out', leftOut);
    const isWhole = ending?.type === 'end' && !decoder?.hasSurplus;
    exchange.finish(taken, isWhole ? (decoder?.isMarked ? 'marked' : 'unmarked') : undefined);
  }
}

/** Whether an event is part of the answer's text. */
function isText(event: ContentEvent): boolean {
  return event.type === 'text' || (event.type === 'data' && event.inline === true);
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
