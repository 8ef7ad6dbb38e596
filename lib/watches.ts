import type { HostWatch, WatchedStream } from './host-watch.ts';
import { watchFunction } from './watch-function.ts';
import { watchServer } from './watch-server.ts';

/** Selects what is watched of the host of a stream. A further host is one more line here. */
export function watchOf(stream: WatchedStream): HostWatch {
  return stream.host === 'web' ? watchServer(stream) : watchFunction(stream);
}
