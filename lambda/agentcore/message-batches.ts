// biome-ignore lint/style/noRestrictedImports: a type alone
import type WebSocket from 'ws';
import type { Message } from './exchange.ts';

/** A socket is paused while so many messages wait. */
const MAX_WAITING = 16;

/**
 * The messages of a socket, from the call on, in batches: each holds all that have come since the batch before. A
 * promise for every message would cost more than the message. The iteration ends when the socket has closed; aborting
 * the signal makes it throw; both after the messages that wait.
 */
export function batchesOf(ws: WebSocket, signal: AbortSignal): AsyncIterable<readonly Message[]> {
  let waiting: Message[] = [];
  let isOver = false;
  let wake: (() => void) | undefined;

  const onMessage = (bytes: Buffer, isBinary: boolean) => {
    waiting.push([bytes, isBinary]);
    if (waiting.length === MAX_WAITING) ws.pause();
    wake?.();
  };
  const onEnd = () => {
    isOver = true;
    wake?.();
  };
  const stop = () => {
    ws.off('message', onMessage).off('close', onEnd);
    signal.removeEventListener('abort', onEnd);
  };
  ws.on('message', onMessage).on('close', onEnd);
  signal.addEventListener('abort', onEnd, { once: true });
  if (signal.aborted) onEnd();

  async function* batches(): AsyncGenerator<readonly Message[]> {
    try {
      for (;;) {
        if (waiting.length > 0) {
          const batch = waiting;
          waiting = [];
          ws.resume();
          yield batch;
        } else if (isOver) {
          signal.throwIfAborted();
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
        }
      }
    } finally {
      stop();
    }
  }
  return batches();
}
