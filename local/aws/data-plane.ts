import { randomUUID } from 'node:crypto';
import {
  createServer as createHttp,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type DataPlaneFault, FaultBox, type FaultOptions, rawAnswer } from '../faults/data-plane-faults.ts';
import {
  admit,
  forwardedHeaders,
  type LocalRuntime,
  Refusal,
  runtimeClientError,
  SESSION_HEADER,
} from './admission.ts';
import { proxyBody } from './http-proxy.ts';
import type { KnownCredentials } from './sigv4.ts';
import { proxyWebSocket, type Quotas } from './websocket-proxy.ts';

export type { LocalRuntime } from './admission.ts';

export interface DataPlaneOptions {
  runtimes: readonly LocalRuntime[];
  credentials: KnownCredentials[];
  /** @default 0, any free one */
  port?: number;
  /** @default plain HTTP */
  tls?: { key: string; cert: string };
  /** AgentCore's limits; Infinity switches one off. */
  quotas?: Partial<Quotas>;
  /** @default Date.now */
  clock?: () => number;
  /** Decides on faults that have a probability. @default Math.random */
  random?: () => number;
}

export interface DataPlaneConnection {
  runtimeArn: string;
  qualifier: string;
  sessionId: string;
  /** Milliseconds since the epoch. */
  openedAt: number;
  socket: Socket;
}

export interface DataPlane {
  /** Origin, for AWS_ENDPOINT_URL_BEDROCK_AGENTCORE. */
  readonly url: string;
  /** The WebSockets that are open. */
  readonly connections: ReadonlySet<DataPlaneConnection>;
  /** How many upgrades were accepted so far. */
  readonly upgrades: number;
  /** How many requests have met a fault so far. */
  readonly faultsMet: number;
  /** Headers of the last 10,000 requests, refused ones included. */
  readonly requests: readonly { path: string; headers: IncomingMessage['headers'] }[];
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

/** AgentCore's front door: signatures, session rules, quotas, and the way through to the agents. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { tls, runtimes, credentials, clock = Date.now, random = Math.random } = options;
  const quotas = { ...QUOTAS, ...options.quotas };
  const connections = new Set<DataPlaneConnection>();
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  const faults = new FaultBox(random);
  let upgrades = 0;
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
  const reset = ({ remotePort }: Socket) => {
    for (const socket of tcp) if (socket.remotePort === remotePort) socket.resetAndDestroy();
  };

  const note = ({ url = '', headers }: IncomingMessage) => {
    requests.push({ path: url, headers });
    if (requests.length > MAX_REQUESTS_KEPT) requests.shift();
  };
  const rules = () => ({ runtimes, credentials, now: clock() });

  server.on('upgrade', async (request: IncomingMessage, socket: Socket, head: Buffer) => {
    note(request);
    const admitted = admit(request, 'ws', Buffer.alloc(0), rules());
    if (admitted instanceof Refusal) return refuseUpgrade(socket, admitted);
    const { runtime, qualifier, sessionId } = admitted;
    const fault = faults.take(runtime.runtimeArn, sessionId);
    if (fault?.at === 'upgrade' && (await fault.act({ socket, reset: () => reset(socket) }))) {
      // Nobody else reads it, and an end that is not read is not seen.
      socket.resume().once('end', () => socket.destroy());
      return;
    }
    if (socket.destroyed) return;

    const { hostname, port } = new URL(runtime.target);
    const agent = connect({ host: hostname, port: Number(port) || 80, noDelay: true });
    agent.on('error', () => {});
    const onCallerGone = () => agent.destroy();
    socket.once('close', onCallerGone);
    agent.once('connect', () => agent.write(upgradeOf(request, sessionId, runtime.target)));
    const answer = await headOf(agent);
    socket.off('close', onCallerGone);
    if (!answer) return refuseUpgrade(socket, runtimeClientError('could not reach the container'));
    const status = Number(answer.head.split(' ')[1]);
    if (status !== 101 || socket.destroyed) {
      agent.destroy();
      return refuseUpgrade(socket, runtimeClientError(`Received error code ${status} from runtime`));
    }
    const { runtimeArn } = runtime;
    const connection = { runtimeArn, qualifier, sessionId, openedAt: clock(), socket };
    upgrades += 1;
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
    const extra = `x-amzn-requestid: ${randomUUID()}\r\n${SESSION_HEADER}: ${sessionId}\r\n`;
    socket.write(`${answer.head}\r\n${extra}\r\n`);
    proxyWebSocket({
      client: socket,
      agent,
      quotas,
      fault: fault?.at === 'stream' ? fault : undefined,
      resetClient: () => reset(socket),
      early: { fromClient: head, fromAgent: answer.rest },
    });
  });

  const onPost = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    if (request.method === 'GET' && request.url?.split('?')[0]?.endsWith('/ws')) {
      response.writeHead(400).end('Not a WebSocket Upgrade Request');
      return;
    }
    const { socket } = request;
    const admitted = admit(request, 'invocations', body, rules());
    if (admitted instanceof Refusal) return refuse(response, admitted);
    const { runtime, sessionId } = admitted;
    const fault = faults.take(runtime.runtimeArn, sessionId);
    if (fault?.at === 'upgrade' && (await fault.act({ socket, reset: () => reset(socket) }))) return;
    const upstream = requestHttp(`${runtime.target}/invocations`, {
      method: 'POST',
      headers: forwardedHeaders(request, sessionId),
      // A connection of its own: a container may close one that has served, just when it would be used again.
      agent: false,
    });
    upstream.on('error', () => {
      if (response.headersSent) response.destroy();
    });
    // With or without an error: a container that switches protocols makes none.
    upstream.on('close', () => {
      if (!response.headersSent) refuse(response, runtimeClientError('could not reach the container'));
    });
    upstream.on('response', (answer) => {
      const { statusCode: status = 500, headers } = answer;
      if (status >= 400) {
        answer.resume();
        return refuse(response, runtimeClientError(`Received error code ${status} from runtime`));
      }
      response.writeHead(status, {
        'content-type': headers['content-type'] ?? 'application/octet-stream',
        'x-amzn-requestid': randomUUID(),
        [SESSION_HEADER]: sessionId,
      });
      response.flushHeaders();
      proxyBody(answer, response, fault?.at === 'stream' ? fault : undefined, () => reset(socket));
    });
    response.on('close', () => upstream.destroy());
    upstream.end(body);
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    note(request);
    response.on('error', () => {});
    // A caller that goes away while it sends.
    onPost(request, response).catch(() => response.destroy());
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    get upgrades() {
      return upgrades;
    },
    get faultsMet() {
      return faults.met;
    },
    requests,
    fault: (runtimeArn, fault, faultOptions = {}) =>
      faults.put(
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

function refuse(response: ServerResponse, { status, headers, body }: Refusal): void {
  response.writeHead(status, headers).end(body);
}

function refuseUpgrade(socket: Socket, { status, headers, body }: Refusal): void {
  if (socket.writable) socket.end(rawAnswer(status, headers, body));
  socket.resume();
}

function upgradeOf(request: IncomingMessage, sessionId: string, target: string): string {
  const { host, pathname } = new URL(target);
  const headers = Object.entries({ host, ...forwardedHeaders(request, sessionId) });
  const path = `${pathname.replace(/\/$/, '')}/ws`;
  return [`GET ${path} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join(
    '\r\n',
  );
}

/** The head of the agent's answer without its last blank line, and the bytes behind it. */
function headOf(agent: Socket): Promise<{ head: string; rest: Buffer } | undefined> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const onData = (bytes: Buffer) => {
      seen = Buffer.concat([seen, bytes]);
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0) return;
      agent.off('data', onData);
      agent.pause();
      resolve({ head: seen.toString('latin1', 0, end), rest: seen.subarray(end + 4) });
    };
    agent.on('data', onData);
    agent.once('close', () => resolve(undefined));
  });
}
