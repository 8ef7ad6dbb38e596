import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { DelayLine } from './delay-line.ts';

export interface FaultProxyOptions {
  /** Origin to pass everything on to; its scheme stays. */
  target: string;
  /** Name of this machine in the proxy's URL. @default 127.0.0.1 */
  hostname?: string;
  /** Added each way. Opening a connection is charged a round trip, as TCP's handshake is. @default 0 */
  latencyMs?: number;
  /** Bytes per second from the target. @default no limit */
  bytesPerSecond?: number;
}

export interface FaultProxy {
  /** The target's origin, through the proxy. */
  url: string;
  /** Connections that were taken so far. */
  readonly accepted: number;
  /** Resets every connection. */
  reset(): void;
  /** From now on nothing passes in either direction, and nobody is told; false lets new connections through. */
  blackhole(on: boolean): void;
  /** Nothing passes any more on the connections that are open; new ones are well. */
  swallowOpen(): void;
  /** Sends new connections to another origin; undefined to the target again. */
  divert(origin: string | undefined): void;
  /** Whether new connections are refused; those that are open are well. */
  refuse(on: boolean): Promise<void>;
  close(): Promise<void>;
}

/** A TCP proxy that delays, slows, resets or swallows what passes, below TLS and HTTP. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY, hostname = '127.0.0.1' } = options;
  const target = new URL(options.target);
  let current = target;
  const sockets = new Set<Socket>();
  let accepted = 0;
  let swallowing = false;
  const open = new Set<{ swallowed: boolean }>();
  const track = (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted += 1;
    track(client);
    // A blackhole takes connections, as a network that drops packets behind a load balancer does.
    if (swallowing) return void client.resume();
    const state = { swallowed: false };
    const isSwallowing = () => swallowing || state.swallowed;
    open.add(state);
    client.once('close', () => open.delete(state));
    const upstream = track(
      connect({ host: current.hostname, port: Number(current.port), allowHalfOpen: true }),
    );
    pass(client, upstream, latencyMs, 2 * latencyMs, Number.POSITIVE_INFINITY, isSwallowing);
    pass(upstream, client, latencyMs, 0, bytesPerSecond, isSwallowing);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `${target.protocol}//${hostname}:${port}`,
    get accepted() {
      return accepted;
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    blackhole(on) {
      swallowing = on;
    },
    swallowOpen() {
      for (const state of open) state.swallowed = true;
    },
    divert(origin) {
      current = origin === undefined ? target : new URL(origin);
    },
    async refuse(on) {
      if (on === !server.listening) return;
      if (on) server.close();
      else await listen(port);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** One direction. What came together stays together; what came later never overtakes. */
function pass(
  from: Socket,
  to: Socket,
  latencyMs: number,
  openingMs: number,
  bytesPerSecond: number,
  isSwallowing: () => boolean,
): void {
  const line = new DelayLine();
  let busyUntil = performance.now() + openingMs;
  from.on('data', (bytes) => {
    if (isSwallowing()) return;
    busyUntil = Math.max(busyUntil, performance.now()) + (bytes.length / bytesPerSecond) * 1000;
    line.at(busyUntil + latencyMs, () => {
      if (to.destroyed || to.write(bytes)) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
    // Slower than it comes: the sender must feel it.
    if (busyUntil - performance.now() > 100) {
      from.pause();
      setTimeout(() => from.resume(), busyUntil - performance.now());
    }
  });
  from.on('end', () => line.at(busyUntil + latencyMs, () => to.end()));
  from.on('close', () => {
    if (!isSwallowing()) line.at(busyUntil + latencyMs, () => to.destroySoon());
  });
}
