import { sleep } from '../agentcore/retry.ts';
import { createLogReader, type LogEntry } from './answer-log.ts';
import type { SessionStore } from './store.ts';

/** The end of a log may become visible a little later than the end of its lease. */
const READS_AFTER_LEASE = 3;

/**
 * Reads the log of an answer from its beginning, and follows it while it grows. Ends after the answer's end, or without
 * an end if the process that writes the answer is gone.
 *
 * @param session the key of the answer's session, if it is known before the log is read
 * @throws the signal's reason, and the store's error
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
