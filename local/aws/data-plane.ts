import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type DataPlaneFault, FaultBox, type FaultOptions } from '../faults/data-plane-faults.ts';
import { listener } from '../listener.ts';
import { admit } from './admission.ts';
import { invoke } from './invocations.ts';
import type { LocalRuntime } from './local-runtime.ts';
import type { DataPlaneConnection, Service } from './operation.ts';
import { Refusal } from './refusal.ts';
import { RuntimeSessions } from './runtime-sessions.ts';
import type { KnownCredentials } from './sigv4.ts';
import { stopSession } from './stop-session.ts';
import { refuseUpgrade, upgrade } from './upgrade.ts';
import type { Quotas } from './websocket-proxy.ts';

export type { LocalRuntime } from './local-runtime.ts';

export interface DataPlaneOptions {
  runtimes: readonly LocalRuntime[];
  credentials: KnownCredentials[];
  /** @default 0, any free one */
  port?: number;
  /** @default plain HTTP */
  tls?: { key: string; cert: string };
  /** AgentCore's limits; Infinity switches one off. */
  quotas?: Partial<Quotas>;
  /**
   * How long a session takes to start, in milliseconds: the first request with its id waits so long, and the first one
   * after it was stopped.
   *
   * @default 0
   */
  sessionStartMs?: number;
  /** @default Date.now */
  clock?: () => number;
  /** Decides on faults that have a probability. @default Math.random */
  random?: () => number;
}

export interface DataPlane {
  /** Origin, for AWS_ENDPOINT_URL_BEDROCK_AGENTCORE. */
  readonly url: string;
  /** The WebSockets that are open. */
  readonly connections: ReadonlySet<DataPlaneConnection>;
  /** How many upgrades were accepted so far. */
  readonly upgrades: number;
  /** How many sessions were started so far. */
  readonly sessionStarts: number;
  /** How many requests have met a fault so far. */
  readonly faultsMet: number;
  /** Headers of the last 10,000 requests, refused ones included. */
  readonly requests: readonly { path: string; headers: IncomingMessage['headers'] }[];
  /** Whether this session of a runtime has started and was not stopped. */
  isUp(runtimeArn: string, sessionId: string): boolean;
  /**
   * Makes requests to a runtime fail; without a fault what is left of them is taken back.
   *
   * @param options a number is that of `times`
   */
  fault(runtimeArn: string, fault: DataPlaneFault | undefined, options?: FaultOptions | number): void;
  close(): Promise<void>;
}

/** AgentCore's quotas and limits, as of 2026-09. */
const QUOTAS: Quotas = {
  maxFrameBytes: 65_536,
  maxFramesPerSecond: 250,
  idleTimeoutMs: 60_000,
  maxDurationMs: 3_600_000,
};
const MAX_REQUESTS_KEPT = 10_000;

/** The operations that are plain requests. */
const POSTS = { invocations: invoke, stopruntimesession: stopSession } as const;

/** AgentCore's front door: signatures, session rules, quotas, and the way through to the agents. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { tls, runtimes, credentials, clock = Date.now, random = Math.random } = options;
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  const server = tls ? createHttps(tls) : createHttp();

  /** The TCP connections; over TLS they lie below the sockets of requests. */
  const tcp = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    tcp.add(socket);
    // Frames are small and must not wait for one another.
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => tcp.delete(socket));
  });
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}));

  const service: Service = {
    quotas: { ...QUOTAS, ...options.quotas },
    sessions: new RuntimeSessions(options.sessionStartMs ?? 0),
    faults: new FaultBox(random),
    connections: new Set(),
    upgrades: 0,
    clock,
    reset({ remotePort }) {
      for (const socket of tcp) if (socket.remotePort === remotePort) socket.resetAndDestroy();
    },
  };
  const note = ({ url = '', headers }: IncomingMessage) => {
    requests.push({ path: url, headers });
    if (requests.length > MAX_REQUESTS_KEPT) requests.shift();
  };
  const rules = () => ({ runtimes, credentials, now: clock() });

  const onUpgrade = async (request: IncomingMessage, socket: Socket, head: Buffer) => {
    note(request);
    const admitted = admit(request, Buffer.alloc(0), rules(), ['ws']);
    if (admitted instanceof Refusal) refuseUpgrade(socket, admitted);
    else await upgrade(service, admitted, socket, head);
  };
  const onPost = async (request: IncomingMessage, response: ServerResponse) => {
    note(request);
    response.on('error', () => {});
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    if (request.method === 'GET' && request.url?.split('?')[0]?.endsWith('/ws')) {
      response.writeHead(400).end('Not a WebSocket Upgrade Request');
      return;
    }
    const admitted = admit(request, body, rules(), ['invocations', 'stopruntimesession']);
    if (admitted instanceof Refusal) {
      response.writeHead(admitted.status, admitted.headers).end(admitted.body);
      return;
    }
    await POSTS[admitted.operation as keyof typeof POSTS](service, admitted, body, response);
  };
  server.on(
    'upgrade',
    listener(onUpgrade, (_error, _request, socket) => socket.destroy()),
  );
  // A caller that goes away while it sends fails here, too.
  server.on(
    'request',
    listener(onPost, (_error, _request, response) => response.destroy()),
  );

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: service.connections,
    get upgrades() {
      return service.upgrades;
    },
    get sessionStarts() {
      return service.sessions.starts;
    },
    get faultsMet() {
      return service.faults.met;
    },
    requests,
    isUp: (runtimeArn, sessionId) => service.sessions.isUp({ runtimeArn }, sessionId),
    fault: (runtimeArn, fault, faultOptions = {}) =>
      service.faults.put(
        runtimeArn,
        fault,
        typeof faultOptions === 'number' ? { times: faultOptions } : faultOptions,
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of tcp) socket.destroy();
      }),
  };
}
