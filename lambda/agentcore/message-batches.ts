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
  let take: TakeMessages = () => true;
  /** Whether messages can be handed over: not before they are asked for, while the taker is behind, or after the end. */
  let isReady = false;

  const add = (message: Message) => {
    waiting.push(message);
    // The other messages of the same read follow before the microtask runs.
    if (isReady && waiting.length === 1) NOW.then(handOver);
    else if (!isReady && waiting.length === MAX_WAITING) ws.pause();
  };
  const handOver = () => {
    const messages = waiting;
    waiting = [];
    try {
      const wantsMore = take(messages);
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
    if (!wantsMore) finish();
    else if (waiting.length > 0) handOver();
    else onEnd();
  };
  const onEnd = () => {
    if (!isReady || waiting.length > 0) return;
    if (signal.aborted) fail(signal.reason);
    else if (ws.readyState === ws.CLOSED) finish();
  };
  const stop = () => {
    isReady = false;
    ws.off('close', onEnd);
    signal.removeEventListener('abort', onEnd);
  };
  const finish = () => {
    stop();
    resolve();
  };
  const fail = (reason: unknown) => {
    stop();
    reject(reason);
  };

  ws.on('close', onEnd);
  signal.addEventListener('abort', onEnd, { once: true });
  return {
    add,
    receive(taker) {
      take = taker;
      onTaken(true);
      return promise;
    },
  };
}
