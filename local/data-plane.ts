import { randomUUID } from 'node:crypto';
import {
  createServer as createHttp,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type DataPlaneFault, FaultBox, rawAnswer } from './data-plane-faults.ts';
import { type KnownCredentials, refuseSignature } from './sigv4.ts';
import { proxyWebSocket, type Quotas } from './websocket-proxy.ts';

export interface LocalRuntime {
  runtimeArn: string;
  /** @default ['DEFAULT'] */
  qualifiers?: string[];
  /** The agent's container, `http://127.0.0.1:8080`: it serves /ws and /invocations. */
  target: string;
}

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
}

export interface DataPlaneConnection {
  runtimeArn: string;
  sessionId: string;
  socket: Socket;
}

export interface DataPlane {
  /** Origin, for AWS_ENDPOINT_URL_BEDROCK_AGENTCORE. */
  readonly url: string;
  /** The WebSockets that are open. */
  readonly connections: ReadonlySet<DataPlaneConnection>;
  /** Headers of every request that came, refused ones included. */
  readonly requests: readonly { path: string; headers: IncomingMessage['headers'] }[];
  /** Makes the next requests to a runtime fail; without a fault the rest of them is taken back. */
  fault(runtimeArn: string, fault: DataPlaneFault | undefined, times?: number): void;
  close(): Promise<void>;
}

/** AgentCore's quotas and limits, as of 2026-09. */
const QUOTAS: Quotas = {
  maxFrameBytes: 65_536,
  maxFramesPerSecond: 250,
  idleTimeoutMs: 60_000,
  maxDurationMs: 3_600_000,
};
const CLOCK_SKEW_MS = 300_000;
const SESSION_HEADER = 'x-amzn-bedrock-agentcore-runtime-session-id';
/** What AgentCore answers instead of what was asked for. */
class Refusal {
  readonly status: number;
  readonly errorType: string;
  readonly body: object;
  constructor(status: number, errorType: string, message: string, more: object = {}) {
    this.status = status;
    this.errorType = errorType;
    this.body = { message, ...more };
  }
}

/** AgentCore's front door: signatures, session rules, quotas, and the way through to the agents. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { tls, runtimes, credentials, clock = Date.now } = options;
  const quotas = { ...QUOTAS, ...options.quotas };
  const connections = new Set<DataPlaneConnection>();
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  const faults = new FaultBox();
  const server = tls ? createHttps(tls) : createHttp();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });

  /** Who is meant, once the request is found to be in order. */
  const admit = (
    request: IncomingMessage,
    body: Uint8Array,
  ): { runtime: LocalRuntime; sessionId: string } | Refusal => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    requests.push({ path: request.url ?? '', headers: request.headers });
    const encodedArn = /^\/runtimes\/(.+)\/(?:ws|invocations)$/.exec(path)?.[1];
    if (encodedArn === undefined) return new Refusal(404, 'UnknownOperationException', 'Unknown operation');
    const arn = decodeURIComponent(encodedArn);
    const signature = refuseSignature(
      { method: request.method ?? 'GET', path, query, headers: request.headers, body },
      {
        credentials,
        region: arn.split(':')[3] ?? 'us-east-1',
        service: 'bedrock-agentcore',
        now: clock(),
        clockSkewMs: CLOCK_SKEW_MS,
      },
    );
    if (signature) return new Refusal(403, 'AccessDeniedException', signature);
    const sessionId = String(request.headers[SESSION_HEADER] ?? randomUUID());
    if (sessionId.length < 33 || sessionId.length > 256) {
      return new Refusal(400, 'ValidationException', 'Invalid length for parameter runtimeSessionId', {
        reason: 'FieldValidationFailed',
        fieldList: [{ name: 'runtimeSessionId', message: 'length must be between 33 and 256' }],
      });
    }
    const runtime = runtimes.find(({ runtimeArn }) => runtimeArn === arn);
    const qualifier = new URLSearchParams(query).get('qualifier') ?? 'DEFAULT';
    if (!runtime || !(runtime.qualifiers ?? ['DEFAULT']).includes(qualifier)) {
      return new Refusal(
        404,
        'ResourceNotFoundException',
        `No endpoint or agent found with qualifier '${qualifier}' for agent '${arn}'`,
      );
    }
    return { runtime, sessionId };
  };

  server.on('upgrade', async (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Frames are small and must not wait for one another.
    socket.setNoDelay(true);
    const admitted = admit(request, Buffer.alloc(0));
    if (admitted instanceof Refusal) return refuseUpgrade(socket, admitted);
    const { runtime, sessionId } = admitted;
    const fault = faults.take(runtime.runtimeArn);
    if (fault?.at === 'upgrade' && (await fault.act(socket))) return;
    const { hostname, port } = new URL(runtime.target);
    const agent = connect({ host: hostname, port: Number(port) || 80 });
    agent.setNoDelay(true);
    agent.on('error', () => {
      if (!opened) refuseUpgrade(socket, runtimeClientError('could not reach the container'));
      socket.destroy();
    });
    socket.on('error', () => agent.destroy());
    let opened = false;
    agent.once('connect', () => agent.write(upgradeOf(request, sessionId, runtime.target)));
    const answer = await headOf(agent);
    if (!answer) return;
    const status = Number(answer.head.split(' ')[1]);
    if (status !== 101) {
      agent.destroy();
      return refuseUpgrade(socket, runtimeClientError(`Received error code ${status} from runtime`));
    }
    opened = true;
    const connection = { runtimeArn: runtime.runtimeArn, sessionId, socket };
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
    const extra = `x-amzn-requestid: ${randomUUID()}\r\n${SESSION_HEADER}: ${sessionId}\r\n`;
    socket.write(`${answer.head}\r\n${extra}\r\n`);
    proxyWebSocket({
      client: socket,
      agent,
      quotas,
      ...(fault?.at === 'stream' && { fault }),
      early: { fromClient: head, fromAgent: answer.rest },
    });
  });

  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => {});
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = Buffer.concat(parts);
    if (request.method === 'GET' && request.url?.split('?')[0]?.endsWith('/ws')) {
      return response.writeHead(400).end('Not a WebSocket Upgrade Request');
    }
    const admitted = admit(request, body);
    if (admitted instanceof Refusal) return refuse(response, admitted);
    const fault = faults.take(admitted.runtime.runtimeArn);
    if (fault?.at === 'upgrade' && (await fault.act(request.socket))) return;
    const upstream = requestHttp(`${admitted.runtime.target}/invocations`, {
      method: 'POST',
      headers: forwardedHeaders(request, admitted.sessionId),
    });
    upstream.on('error', () => {
      if (!response.headersSent) refuse(response, runtimeClientError('could not reach the container'));
      else response.destroy();
    });
    upstream.on('response', (answer) => {
      const status = answer.statusCode ?? 500;
      if (status >= 400) {
        answer.resume();
        return refuse(response, runtimeClientError(`Received error code ${status} from runtime`));
      }
      response.writeHead(status, {
        'content-type': answer.headers['content-type'] ?? 'application/octet-stream',
        'x-amzn-requestid': randomUUID(),
      });
      response.flushHeaders();
      answer.on('data', (part) => response.write(part));
      answer.on('end', () => response.end());
      answer.on('error', () => response.destroy());
    });
    response.on('close', () => upstream.destroy());
    upstream.end(body);
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    requests,
    fault: (runtimeArn, fault, times) => faults.put(runtimeArn, fault, times),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
        for (const { socket } of connections) socket.destroy();
      }),
  };
}

function runtimeClientError(message: string): Refusal {
  return new Refusal(
    424,
    'RuntimeClientError',
    `${message}. Please check your CloudWatch logs for more information.`,
  );
}

function refusalHeaders({ errorType }: Refusal): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-amzn-ErrorType': `${errorType}:`,
    'x-amzn-requestid': randomUUID(),
  };
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  response.writeHead(refusal.status, refusalHeaders(refusal)).end(JSON.stringify(refusal.body));
}

function refuseUpgrade(socket: Socket, refusal: Refusal): void {
  socket.end(rawAnswer(refusal.status, refusalHeaders(refusal), JSON.stringify(refusal.body)));
}

/** What reaches a container: nothing of the signature, and no compression. */
function forwardedHeaders({ headers }: IncomingMessage, sessionId: string): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name]) => !/^(host|authorization|x-amz-.*|sec-websocket-extensions|content-length)$/.test(name),
  );
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
    [SESSION_HEADER]: sessionId,
  };
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
