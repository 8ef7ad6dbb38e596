// biome-ignore lint/style/noRestrictedImports: a type alone
import type WebSocket from 'ws';
import type { Message } from './exchange.ts';

/** The socket is paused while this many messages wait. */
const MAX_WAITING = 16;
/** `then` of this promise is cheaper than `queueMicrotask`, which makes a resource for asynchronous hooks. */
const NOW = Promise.resolve();

/**
 * Iterates the messages that a socket receives from now on, in batches. Each batch contains all messages since the
 * previous one. The iteration ends when the socket closes, and throws when the signal is aborted, in both cases after
 * the messages that wait.
 *
 * The iterator is written by hand, because a generator would take three promises for each batch, and most batches are
 * one token.
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
