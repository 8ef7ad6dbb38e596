// biome-ignore lint/style/noRestrictedImports: a type alone
import type WebSocket from 'ws';
import type { Exchange, Message, TakeMessages } from './exchange.ts';

/** The socket is paused while this many messages wait. */
const MAX_WAITING = 16;
/** `then` of this promise is cheaper than `queueMicrotask`, which makes a resource for asynchronous hooks. */
const NOW = Promise.resolve();

export interface MessageBatches {
  /** To be called with each message that the socket receives. */
  add(message: Message): void;
  receive: Exchange['receive'];
}

/**
 * Hands over the messages of a socket in batches. Each batch contains all messages since the previous one. After a close
 * or an abort, the messages that wait are handed over first.
 *
 * The messages are not iterated, because most batches are one token, and each step of an iteration takes two promises.
 */
export function batchesOf(ws: WebSocket, signal: AbortSignal): MessageBatches {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let waiting: Message[] = [];
  let isOver = false;
  let take: TakeMessages | undefined;
  /** Whether messages can be handed over. */
  let isReady = false;
  let isStopped = false;

  const add = (message: Message) => {
    if (isStopped) return;
    waiting.push(message);
    // The other messages of the same read follow before the microtask runs.
    if (isReady && waiting.length === 1) NOW.then(handOver);
    else if (!isReady && waiting.length === MAX_WAITING) ws.pause();
  };
  const onEnd = () => {
    isOver = true;
    if (isReady && waiting.length === 0) end();
  };
  const stop = () => {
    isStopped = true;
    ws.off('close', onEnd);
    signal.removeEventListener('abort', onEnd);
  };
  const end = () => {
    if (signal.aborted) return fail(signal.reason);
    stop();
    resolve();
  };
  const fail = (reason: unknown) => {
    stop();
    reject(reason);
  };
  const handOver = () => {
    const messages = waiting;
    waiting = [];
    try {
      const wantsMore = take?.(messages) ?? true;
      if (typeof wantsMore === 'boolean') return goOn(wantsMore);
      isReady = false;
      wantsMore.then(onTaken, fail);
    } catch (error) {
      fail(error);
    }
  };
  const onTaken = (wantsMore: boolean) => {
    isReady = true;
    ws.resume();
    goOn(wantsMore);
  };
  const goOn = (wantsMore: boolean) => {
    if (!wantsMore) {
      stop();
      resolve();
    } else if (waiting.length > 0) handOver();
    else if (isOver) end();
  };

  ws.on('close', onEnd);
  signal.addEventListener('abort', onEnd, { once: true });
  if (signal.aborted) onEnd();
  return {
    add,
    receive(taker) {
      take = taker;
      onTaken(true);
      return promise;
    },
  };
}
