// biome-ignore lint/style/noRestrictedImports: a type alone
import type WebSocket from 'ws';
import type { Message } from './exchange.ts';

/** A socket is paused while so many messages wait. */
const MAX_WAITING = 16;
/** Cheaper than `queueMicrotask`, which makes a resource for asynchronous hooks. */
const NOW = Promise.resolve();

/**
 * The messages of a socket, from the call on, in batches: each holds all that have come since the batch before. The
 * iteration ends when the socket has closed; aborting the signal makes it throw; both after the messages that wait.
 *
 * Written out, as a generator would take three promises for each batch, which mostly is one token.
 */
export function batchesOf(ws: WebSocket, signal: AbortSignal): AsyncIterable<readonly Message[]> {
  let waiting: Message[] = [];
  let isOver = false;
  let wanted: PromiseWithResolvers<IteratorResult<readonly Message[], undefined>> | undefined;

  const onMessage = (bytes: Buffer, isBinary: boolean) => {
    waiting.push([bytes, isBinary]);
    // The other messages of the same read follow before the microtask runs.
    if (wanted && waiting.length === 1) NOW.then(settle);
    else if (!wanted && waiting.length === MAX_WAITING) ws.pause();
  };
  const onEnd = () => {
    isOver = true;
    settle();
  };
  const stop = () => {
    ws.off('message', onMessage).off('close', onEnd);
    signal.removeEventListener('abort', onEnd);
  };
  const settle = () => {
    if (!wanted || (waiting.length === 0 && !isOver)) return;
    const { resolve, reject } = wanted;
    wanted = undefined;
    if (waiting.length > 0) {
      resolve({ value: waiting, done: false });
      waiting = [];
      return ws.resume();
    }
    stop();
    if (signal.aborted) reject(signal.reason);
    else resolve({ value: undefined, done: true });
  };
  ws.on('message', onMessage).on('close', onEnd);
  signal.addEventListener('abort', onEnd, { once: true });
  if (signal.aborted) onEnd();

  const iterator: AsyncIterator<readonly Message[], undefined> = {
    next() {
      wanted = Promise.withResolvers();
      const { promise } = wanted;
      settle();
      return promise;
    },
    async return() {
      stop();
      return { value: undefined, done: true };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
