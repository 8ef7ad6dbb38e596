import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { startDataPlane } from '../local/aws/data-plane.ts';
import { startFaultProxy } from '../local/faults/fault-proxy.ts';
import { LOCAL_CREDENTIALS } from '../local/system.ts';
import { nowUs, type Scenario, STAMP_BYTES, stamp, textsOf } from './inputs.ts';
import { AGENT_ARN, readTls, type UpstreamUrls } from './upstream.ts';

// Run by bench/upstream.ts as a process of its own, so that making an answer does not delay reading it.

const SESSION_HEADER = 'x-amzn-bedrock-agentcore-runtime-session-id';
const MAX_BUFFERED_BYTES = 1_000_000;
/** Of the link to the far data plane. */
const LATENCY_MS = 20;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** How a transport takes messages. */
interface Sink {
  isOpen(): boolean;
  send(message: Buffer): void;
  isFull(): boolean;
  end(): void;
  cut(how: 'drop' | 'reset'): void;
}

async function answer(scenario: Scenario, sink: Sink): Promise<void> {
  const { messages, bytes, perSecond, firstMs = 0, cut } = scenario;
  const texts = textsOf(scenario).map((text) => Buffer.from(text, 'latin1'));
  if (firstMs > 0) await sleep(firstMs);
  const startedAt = performance.now();
  for (let i = 0; i < (cut ? messages / 2 : messages); i += 1) {
    if (perSecond) {
      // By the clock: a late timer does not make the next ones late.
      const waitMs = startedAt + (i * 1000) / perSecond - performance.now();
      if (waitMs > 0) await sleep(waitMs);
    } else {
      while (sink.isFull()) await sleep(1);
    }
    if (!sink.isOpen()) return;
    const message = Buffer.allocUnsafe(bytes);
    message.write(stamp(nowUs()), 'latin1');
    texts[i % texts.length]?.copy(message, STAMP_BYTES);
    sink.send(message);
  }
  if (!cut) return sink.end();
  // What was written leaves first.
  await sleep(20);
  sink.cut(cut);
}

function overWebSocket(socket: WebSocket, request: IncomingMessage): Sink {
  return {
    isOpen: () => socket.readyState === socket.OPEN,
    send: (message) => socket.send(message, { binary: false }),
    isFull: () => socket.bufferedAmount > MAX_BUFFERED_BYTES,
    end: () => socket.send('[DONE]'),
    cut(how) {
      const sessionId = request.headers[SESSION_HEADER];
      const session = [...near.connections].find((connection) => connection.sessionId === sessionId);
      // Only the data plane's own socket carries a reset to the function.
      if (how === 'reset') session?.socket.resetAndDestroy();
      else request.socket.destroy();
    },
  };
}

function overHttp(request: IncomingMessage, response: ServerResponse): Sink {
  return {
    isOpen: () => !response.destroyed,
    send: (message) => response.write(`data: ${JSON.stringify(message.toString('latin1'))}\n\n`),
    isFull: () => response.writableLength > MAX_BUFFERED_BYTES,
    end: () => response.end(),
    cut: () => request.socket.destroy(),
  };
}

const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { prompt } = JSON.parse(body) as { prompt: string };
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  await answer(JSON.parse(prompt) as Scenario, overHttp(request, response));
});
new WebSocketServer({ server, path: '/ws' }).on('connection', (socket, request) => {
  socket.on('error', () => {});
  socket.on('message', (data) => {
    const { prompt } = JSON.parse(data.toString()) as { prompt: string };
    void answer(JSON.parse(prompt) as Scenario, overWebSocket(socket, request));
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

const options = {
  runtimes: [{ runtimeArn: AGENT_ARN, target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }],
  credentials: [LOCAL_CREDENTIALS],
  quotas: { maxFramesPerSecond: Number.POSITIVE_INFINITY },
};
const near = await startDataPlane(options);
const secure = await startDataPlane({ ...options, tls: readTls() });
const far = await startFaultProxy({ target: secure.url, latencyMs: LATENCY_MS });

process.send?.({ near: near.url, far: far.url } satisfies UpstreamUrls);
process.on('disconnect', () => process.exit());
