import type { Socket } from 'node:net';
import type { DataPlaneFault } from './data-plane-faults.ts';
import { closeFrame, frameReader } from './frame-reader.ts';

/** AgentCore's limits on one WebSocket. */
export interface Quotas {
  maxFrameBytes: number;
  maxFramesPerSecond: number;
  /** Without any frame the connection is dropped, with no close frame. */
  idleTimeoutMs: number;
  maxDurationMs: number;
}

export interface ProxyOptions {
  client: Socket;
  agent: Socket;
  quotas: Quotas;
  fault?: Extract<DataPlaneFault, { at: 'stream' }>;
  /** What had already been read behind the upgrade. */
  early: { fromClient: Buffer; fromAgent: Buffer };
}

/** Passes the bytes of an upgraded connection through both ways and ends it at a quota. */
export function proxyWebSocket({ client, agent, quotas, fault, early }: ProxyOptions): void {
  let over = false;
  const end = (code: number, reason: string) => {
    if (over) return;
    over = true;
    // Behind the frames of the same piece that may still pass.
    queueMicrotask(() => {
      client.end(closeFrame(code, reason));
      agent.end(closeFrame(code, reason, true));
      client.removeAllListeners('data').resume();
      agent.removeAllListeners('data').resume();
    });
  };
  const drop = () => {
    over = true;
    client.destroy();
    agent.destroy();
  };
  const idle = timer(quotas.idleTimeoutMs, drop);
  const age = timer(quotas.maxDurationMs, () =>
    end(1008, 'Policy violated: Max connection duration of 1 hour is exceeded'),
  );
  const countFrame = rateLimit(quotas.maxFramesPerSecond, () =>
    end(1008, 'Policy violated: max frames per second is exceeded'),
  );
  let messages = 0;
  const readerOf = (isAgent: boolean) =>
    frameReader(({ opcode, fin, payloadBytes }) => {
      idle?.refresh();
      if (payloadBytes > quotas.maxFrameBytes) {
        end(1009, 'Policy violated: message size limit of 64 KB for a message frame is exceeded');
      }
      if (isAgent) countFrame();
      if (over) return false;
      if (isAgent && fin && opcode <= 2) {
        messages += 1;
        // The message itself goes out first.
        const count = messages;
        setImmediate(() => fault?.act({ messages: count, client, agent }));
      }
      return true;
    });

  const pass = (from: Socket, to: Socket, read: (bytes: Buffer) => number) => (bytes: Buffer) => {
    if (over) return;
    const passing = bytes.subarray(0, read(bytes));
    if (passing.length === 0 || to.destroyed) return;
    if (from === agent && fault?.swallow?.((bytes[0] ?? 0) & 0x0f)) return;
    if (to.write(passing)) return;
    from.pause();
    to.once('drain', () => from.resume());
  };
  const fromClient = pass(client, agent, readerOf(false));
  const fromAgent = pass(agent, client, readerOf(true));
  client.on('data', fromClient);
  agent.on('data', fromAgent);
  client.on('end', () => agent.end());
  agent.on('end', () => client.end());
  const stop = () => {
    clearTimeout(idle);
    clearTimeout(age);
    client.destroySoon();
    agent.destroySoon();
  };
  client.once('close', stop);
  agent.once('close', stop);
  if (early.fromClient.length > 0) fromClient(early.fromClient);
  if (early.fromAgent.length > 0) fromAgent(early.fromAgent);
  client.resume();
  agent.resume();
  fault?.act({ messages: 0, client, agent });
}

function timer(ms: number, action: () => void): NodeJS.Timeout | undefined {
  return Number.isFinite(ms) ? setTimeout(action, ms).unref() : undefined;
}

/** Calls back when more than so many happen within a second. */
function rateLimit(perSecond: number, onExceeded: () => void): () => void {
  let since = 0;
  let count = 0;
  return () => {
    const now = performance.now();
    if (now - since >= 1000) {
      since = now;
      count = 0;
    }
    count += 1;
    if (count > perSecond) onExceeded();
  };
}
