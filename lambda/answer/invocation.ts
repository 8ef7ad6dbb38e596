import type { Exchange, Invocation } from '../agentcore/exchange.ts';
import { createDecoder, type Decoder, type Item } from '../agentcore/frames.ts';
import { retrying } from '../agentcore/retry.ts';
import { watchSilence } from '../agentcore/silence.ts';
import { TRANSPORTS, type Upstream } from '../agentcore/transports.ts';
import type { Config } from '../config.ts';
import { StreamError, toStreamError } from '../errors.ts';

/** Takes a text; returns a promise when the reader is behind, to be awaited before the next. */
export type TextSink = (text: string) => Promise<void> | undefined;

/**
 * Sends a prompt to an agent, at most once, and passes its text on until the answer has ended.
 *
 * @throws StreamError, with `promptSent` telling whether the agent may have acted
 */
export async function invoke(invocation: Invocation, upstream: Upstream, sink: TextSink): Promise<void> {
  const { agent, abort, record } = invocation;
  const { signal } = abort;
  const start = TRANSPORTS[agent.entry.transport];
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
        upstream_request_id: error.upstreamRequestId,
        error,
      });
    },
  });
  try {
    await passOn(exchange, invocation, upstream.config, sink);
  } catch (thrown) {
    // An aborted iteration throws an error of its own; the reason says why it was aborted.
    const error = signal.aborted ? signal.reason : thrown;
    const failure = error instanceof StreamError ? error : (exchange.lost() ?? toStreamError(error));
    failure.promptSent = true;
    failure.upstreamRequestId ??= record.upstreamRequestId;
    throw failure;
  }
}

/** Passes messages on until the end; on every way out the exchange is finished. */
async function passOn(
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
    onNoEndMarker: () => log.warn('NoEndMarker'),
  });
  let decoder: Decoder | undefined;
  let taken = 0;
  let ending: Exclude<Item, { type: 'chunk' }> | undefined;
  // Whatever follows the end would be read as the next answer.
  let endsCleanly = false;

  /** Returns a promise only where the reader is behind, as most messages are one token, and a promise is dear. */
  const pass = (items: Item[], from = 0): Promise<void> | undefined => {
    for (let i = from; i < items.length; i += 1) {
      const item = items[i] as Item;
      if (ending) endsCleanly &&= item.type === 'end';
      else if (item.type === 'chunk') {
        record.firstChunkAt ??= performance.now();
        silence.heardText();
        const full = sink(item.text);
        if (full) return silence.suspendedDuring(full).then(() => pass(items, i + 1));
      } else {
        ending = item;
        endsCleanly = item.type === 'end';
      }
    }
    return undefined;
  };

  try {
    for await (const [bytes, isBinary] of exchange.messages) {
      taken += 1;
      silence.heard();
      decoder ??= createDecoder({
        ...agent.entry,
        maxEventLength: config.maxMessageBytes,
        ...exchange.decoding?.(),
      });
      const full = pass(decoder.decode(bytes, isBinary));
      if (full) await full;
      if (ending) return throwIfFailed(ending);
    }
    const lost = exchange.lost();
    if (lost) throw lost;
    await pass(decoder?.flush() ?? []);
    if (ending) return throwIfFailed(ending);
    if (record.firstChunkAt === undefined) {
      throw new StreamError('AgentFailed', 'the agent closed without an answer');
    }
  } finally {
    silence.stop();
    exchange.finish(taken, endsCleanly);
  }
}

function throwIfFailed(ending: Exclude<Item, { type: 'chunk' }>): void {
  if (ending.type === 'malformed') throw new StreamError('AgentFailed', ending.problem);
  if (ending.type === 'failure') {
    throw new StreamError('AgentFailed', 'the agent reported an error', {
      details: { agentError: ending.agentError },
    });
  }
}
