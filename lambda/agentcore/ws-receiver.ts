// biome-ignore lint/style/noRestrictedImports: a type alone
import type WebSocket from 'ws';

/** Whether a message or a frame has begun and is not complete. */
export function hasBegunMessage(ws: WebSocket): boolean {
  const { _fragments, _bufferedBytes, _state } = receiverOf(ws);
  return _fragments.length > 0 || _bufferedBytes > 0 || _state !== 0;
}

/** Whether frames of a message have arrived, and not its last one. */
export function hasFragments(ws: WebSocket): boolean {
  return receiverOf(ws)._fragments.length > 0;
}

interface Receiver {
  /** The frames of a message that is not complete. */
  _fragments: unknown[];
  /** The number of bytes of a frame that is not complete. */
  _bufferedBytes: number;
  /** The part of a frame that is being read; 0 between frames. */
  _state: number;
}

/** ws 8.23 has no public way to tell whether a message has begun; its private receiver knows. */
function receiverOf(ws: WebSocket): Receiver {
  return (ws as unknown as { _receiver: Receiver })._receiver;
}
