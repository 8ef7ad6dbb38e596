import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxyOptions {
  /** Where the bytes go. */
  port: number;
  /** @default '127.0.0.1' */
  host?: string;
  /** Each way, for every piece of bytes; a new connection is charged a round trip. @default 0 */
  latencyMs?: number;
  /** Each way and per connection. @default no limit */
  bytesPerSecond?: number;
}

/** A line between two peers that has a length, a width, and faults. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Resets every open connection, towards both peers. */
  reset(): void;
  /** While on, nothing passes in either direction and no connection ends; what was sent is lost. */
  blackhole(on: boolean): void;
  close(): Promise<void>;
}

/** What may be on the line at a time; a longer queue pauses its sender. */
const MAX_QUEUED_BYTES = 4_000_000;

/** Starts a TCP proxy on 127.0.0.1. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const { port, host = '127.0.0.1', latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = options;
  const pairs = new Set<[Socket, Socket]>();
  let swallowed = false;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host, allowHalfOpen: true, noDelay: true });
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    // The kernel has accepted already: the round trip of SYN and SYN-ACK is charged to the first bytes.
    const openedAt = performance.now() + 2 * latencyMs;
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      const line = delayLine(to, { latencyMs, bytesPerSecond, openedAt });
      from.on('data', (bytes: Buffer) => {
        if (swallowed) return;
        line.put(bytes);
        if (line.queuedBytes > MAX_QUEUED_BYTES) from.pause();
      });
      line.onRoom = () => from.resume();
      from.on('end', () => swallowed || line.put(undefined));
      // A reset goes on as a reset, at once.
      from.on('error', () => swallowed || to.resetAndDestroy());
      from.once('close', () => {
        pairs.delete(pair);
        if (from.errored === null && !from.readableEnded) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  const endAll = (end: (socket: Socket) => void) => {
    for (const pair of [...pairs]) pair.forEach(end);
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size;
    },
    reset: () => endAll((socket) => socket.resetAndDestroy()),
    blackhole: (on) => {
      swallowed = on;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        endAll((socket) => socket.destroy());
      }),
  };
}

interface DelayLine {
  /** Puts bytes on the line; undefined is the end of the stream. */
  put(bytes: Buffer | undefined): void;
  readonly queuedBytes: number;
  /** Called when a line that was long has room again. */
  onRoom?: () => void;
}

function delayLine(
  to: Socket,
  { latencyMs, bytesPerSecond, openedAt }: { latencyMs: number; bytesPerSecond: number; openedAt: number },
): DelayLine {
  const queue: { dueAt: number; bytes: Buffer | undefined }[] = [];
  let freeAt = openedAt;
  let timer: NodeJS.Timeout | undefined;
  let full = false;

  const deliver = () => {
    timer = undefined;
    for (let next = queue[0]; next && !full; next = queue[0]) {
      const leftMs = next.dueAt - performance.now();
      if (leftMs > 0) {
        timer = setTimeout(deliver, leftMs);
        return;
      }
      queue.shift();
      if (to.destroyed) continue;
      if (next.bytes === undefined) {
        to.end();
        continue;
      }
      line.queuedBytes -= next.bytes.length;
      full = !to.write(next.bytes);
    }
    if (line.queuedBytes <= MAX_QUEUED_BYTES) line.onRoom?.();
  };
  to.on('drain', () => {
    full = false;
    if (!timer) deliver();
  });
  to.once('close', () => clearTimeout(timer));

  const line: { queuedBytes: number } & Omit<DelayLine, 'queuedBytes'> = {
    queuedBytes: 0,
    put(bytes) {
      const length = bytes?.length ?? 0;
      freeAt = Math.max(freeAt, performance.now()) + (length / bytesPerSecond) * 1000;
      queue.push({ dueAt: freeAt + latencyMs, bytes });
      line.queuedBytes += length;
      if (!timer && !full) deliver();
    },
  };
  return line;
}
