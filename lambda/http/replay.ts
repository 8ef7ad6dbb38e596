import type { AnswerStats, Protocol, Replay } from '../answer/protocol.ts';
import { Relay } from '../answer/relay.ts';
import { StreamError, toStreamError } from '../errors.ts';
import { countEvents } from '../protocols/native.ts';
import {
  type AnswerHead,
  errorOf,
  isContent,
  type LogEntry,
  type RecordedEnd,
} from '../sessions/answer-log.ts';
import { followAnswer } from '../sessions/following.ts';
import type { SessionStore } from '../sessions/store.ts';
import type { Answered, Call } from './call.ts';

/** The longest wait for the end of the response stream. */
const CLOSE_WAIT_MS = 100;

export interface ReplayOptions {
  store: SessionStore;
  /** The request id of the answer; undefined when there is no answer. */
  requestId: string | undefined;
  /** The session's key in the store, if it is known. */
  session?: string;
  protocol: Protocol;
  replay: Replay;
  /** Whether the caller may read the answer. */
  isReadable: (head: AnswerHead) => boolean;
}

/**
 * Writes a kept answer again, in any protocol, and follows it while it runs. The response is 204 if the caller has
 * already read the whole answer, or if there is none that the caller may read. HEAD is answered without following it.
 *
 * @throws the store's error, as long as nothing was written
 */
export async function replayAnswer(call: Call, options: ReplayOptions): Promise<Answered> {
  const { store, requestId, session, protocol, replay, isReadable } = options;
  if (requestId === undefined) return noContent(call);
  const abort = new AbortController();
  const deadline = setTimeout(
    () => abort.abort(new StreamError('AgentTimeout', 'no time is left to read on')),
    Math.max(0, call.remainingMs() - call.upstream.config.deadlineReserveMs),
  );
  const abortAsHost = () => abort.abort(call.signal?.reason);
  call.signal?.addEventListener('abort', abortAsHost, { once: true });
  let relay: Relay | undefined;
  try {
    const log = followAnswer(store, session, requestId, abort.signal);
    const { value: entries = [] } = await log.next();
    const head = headOf(entries);
    if (!head || !isReadable(head) || isAllRead(entries, replay)) return noContent(call);
    relay = new Relay({
      ...call.upstream.config,
      commitAfterMs: 0,
      protocol,
      context: { ...head, replay },
      respond: call.respond,
      abort,
    });
    if (call.request.method === 'HEAD') {
      // The host drops the body, so the answer is neither read nor followed.
      relay.done();
    } else {
      let end = await writeEntries(relay, entries);
      for await (const more of log) end = await writeEntries(relay, more);
      finish(relay, end);
    }
  } catch (thrown) {
    if (!relay) throw abort.signal.aborted ? abort.signal.reason : thrown;
    relay.fail(toStreamError(abort.signal.aborted ? abort.signal.reason : storeLost(thrown)));
  } finally {
    clearTimeout(deadline);
    call.signal?.removeEventListener('abort', abortAsHost);
  }
  await relay.closed(CLOSE_WAIT_MS);
  return {};
}

function headOf([first]: readonly LogEntry[]): AnswerHead | undefined {
  return first?.type === 'head' ? first.head : undefined;
}

function isAllRead(entries: readonly LogEntry[], { after = -1 }: Replay): boolean {
  return entries.at(-1)?.type === 'ended' && after >= countEvents(entries.filter(isContent), true) - 1;
}

/** Writes the content among the entries. Returns the answer's end if the entries contain it. */
async function writeEntries(relay: Relay, entries: readonly LogEntry[]): Promise<RecordedEnd | undefined> {
  await relay.write(entries.filter(isContent));
  const last = entries.at(-1);
  return last?.type === 'ended' ? last : undefined;
}

function finish(relay: Relay, end: RecordedEnd | undefined): void {
  const stats = end?.stats as AnswerStats | undefined;
  if (end === undefined) {
    const lost = new StreamError('AgentInterrupted', 'the answer broke off, and its end is not known');
    lost.promptSent = true;
    relay.fail(lost, stats);
  } else if (end.failure) relay.fail(errorOf(end.failure), stats);
  else relay.done(stats);
}

function storeLost(cause: unknown): StreamError {
  const error = new StreamError('AgentUnavailable', 'the session store is not available', { cause });
  // This process does not know how the answer has ended.
  error.promptSent = true;
  return error;
}

/** Answers 204. The host drops the byte that is written: a Lambda response without any byte would lose its status. */
export function noContent({ respond }: Call): Answered {
  const answer = respond({ statusCode: 204, headers: { 'Cache-Control': 'no-store' } });
  answer.write('\n');
  answer.end();
  return {};
}
