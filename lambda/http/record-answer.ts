import type { AnswerContext, AnswerStats } from '../answer/protocol.ts';
import { StreamError } from '../errors.ts';
import type { ContentEvent } from '../events.ts';
import { failureOf } from '../sessions/answer-log.ts';
import { Recording } from '../sessions/recording.ts';
import { within } from '../within.ts';
import type { Call } from './call.ts';
import type { CallSession } from './session-of.ts';

/** The longest wait for the store at the end of an answer, so that the next prompt finds the session free. */
const END_WAIT_MS = 100;
/** The longest time that a request stays open for the store's last writes, after the caller has the answer. */
const SETTLE_WAIT_MS = 1000;

/** Keeps an answer in the store for readers that come back. None of its functions throws. */
export interface Recorder {
  /** Settles when the prompt may be sent. If it may not be sent, the answer is already aborted by then. */
  admitted(): Promise<void>;
  write(events: readonly ContentEvent[]): void;
  /** @param error absent when the answer is complete or was stopped */
  end(stats: AnswerStats, error?: StreamError): Promise<void>;
  /** Waits for the store a while longer. */
  settled(): Promise<void>;
  /** Whether the answer was aborted because a caller stopped it. */
  readonly isStopped: boolean;
  /** Whether the store failed, so that the answer is not kept as a whole. */
  readonly hasFailed: boolean;
}

/**
 * Takes the session for an answer and records the answer, if sessions are kept.
 *
 * @param abort is aborted with SessionBusy, or when a caller stops the answer
 */
export function recordAnswer(
  { store, telemetry, upstream: { config } }: Call,
  { key, owner }: CallSession,
  context: AnswerContext,
  abort: AbortController,
): Recorder | undefined {
  if (store === undefined) return undefined;
  const stop = new StreamError('AgentInterrupted', 'the answer was stopped');
  let ending: Promise<void> | undefined;
  const { sessionId, agentId, requestId, sessionReplaced } = context;
  const recording = new Recording({
    store,
    waitMs: config.sessionStoreWaitMs,
    head: { session: key, sessionId, agentId, requestId, sessionReplaced, ...(owner && { owner }) },
    onBusy: (busyWith) => abort.abort(sessionBusy(sessionId, busyWith)),
    onStop: () => abort.abort(stop),
    onFailure: (error) => telemetry.log.warn('Session store failed', { error }),
  });
  return {
    admitted: () => recording.admitted(),
    write: (events) => recording.write(events),
    async end(stats, error) {
      ending = recording.end({ type: 'ended', stats, ...(error && { failure: failureOf(error) }) });
      await within(ending, Math.max(END_WAIT_MS, config.sessionStoreWaitMs));
    },
    async settled() {
      if (ending) await within(ending, SETTLE_WAIT_MS);
      recording.leave();
    },
    get isStopped() {
      return abort.signal.reason === stop;
    },
    get hasFailed() {
      return recording.hasFailed;
    },
  };
}

function sessionBusy(sessionId: string, requestId: string): StreamError {
  return new StreamError('SessionBusy', 'another answer of this session is running', {
    details: { sessionId, ...(requestId && { requestId }) },
  });
}
