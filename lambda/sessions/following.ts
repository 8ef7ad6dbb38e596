import { sleep } from '../agentcore/retry.ts';
import { createLogReader, type LogEntry } from './answer-log.ts';
import type { SessionStore } from './store.ts';

/** The end of a log may become visible a little later than the end of its lease. */
const READS_AFTER_LEASE = 3;

/**
 * Reads the log of an answer from its beginning, and what is added to it as it comes. Ends after the answer's end; also
 * without one, where the process that wrote it is gone.
 *
 * @param session key of the answer's session; the log tells it, too
 * @throws the signal's reason, and whatever the store's failure is
 */
export async function* followAnswer(
  store: SessionStore,
  session: string | undefined,
  requestId: string,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[], void, undefined> {
  const read = createLogReader();
  let key = session;
  let part = 0;
  let readsAfterLease = 0;
  for (;;) {
    signal.throwIfAborted();
    const { log, nextPart } = await store.readLog(requestId, part);
    part = nextPart;
    const entries = read(log);
    const [first] = entries;
    if (first?.type === 'head') key = first.head.session;
    if (entries.length > 0) yield entries;
    if (entries.at(-1)?.type === 'ended') return;
    const state = log.length > 0 || key === undefined ? undefined : await store.read(key);
    const mayGoOn = log.length > 0 || (state?.isRunning === true && state.requestId === requestId);
    readsAfterLease = mayGoOn ? 0 : readsAfterLease + 1;
    if (readsAfterLease > READS_AFTER_LEASE) return;
    await sleep(store.intervalMs, signal);
  }
}
