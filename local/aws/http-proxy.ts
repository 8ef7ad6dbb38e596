import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StreamControls, StreamFault } from '../faults/data-plane-faults.ts';
import { whenWritten } from './websocket-proxy.ts';

/** Passes the body of an agent's HTTP answer on, piece by piece, until its end or a fault. */
export function proxyBody(
  answer: IncomingMessage,
  response: ServerResponse,
  fault: StreamFault | undefined,
  resetCaller: () => void,
): void {
  const { socket } = response;
  let open = true;
  let pieces = 0;
  const stop = (how: () => void) => {
    if (!open) return;
    open = false;
    if (socket) whenWritten(socket, how);
  };
  const drop = () => stop(() => socket?.destroy());
  const controls: StreamControls = {
    close: drop,
    drop,
    reset: () => stop(resetCaller),
    blackhole: () => stop(() => {}),
  };
  if (fault?.afterMessages === 0) fault.act(controls);
  answer.on('data', (piece: Buffer) => {
    if (!open) return;
    pieces += 1;
    if (!response.write(piece)) {
      answer.pause();
      response.once('drain', () => answer.resume());
    }
    if (pieces === fault?.afterMessages) fault.act(controls);
  });
  answer.on('end', () => open && response.end());
  // A body that breaks off breaks off here, too.
  answer.on('error', drop);
}
