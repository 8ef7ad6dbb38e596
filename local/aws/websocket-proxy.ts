import type { Socket } from 'node:net';
import type { StreamControls, StreamFault } from '../faults/data-plane-faults.ts';
import { closeFrame, type Frame, frameReader } from './frame-reader.ts';

/** AgentCore's limits on one WebSocket. */
export interface Quotas {
  maxFrameBytes: number;
  /** Of both directions together. */
  maxFramesPerSecond: number;
  /** Without any frame the connection is dropped, with no close frame. */
  idleTimeoutMs: number;
  maxDurationMs: number;
}

export interface ProxyOptions {
  client: Socket;
  agent: Socket;
  quotas: Quotas;
  fault?: StreamFault | undefined;
  /** Resets the client's TCP connection, which may lie below TLS. */
  resetClient(): void;
  /** What had already been read behind the upgrade. */
  early: { fromClient: Buffer; fromAgent: Buffer };
}

/** How long a peer may take to close its end of a connection that is over. */
const FAREWELL_MS = 1000;

/** Passes the frames of an upgraded connection through both ways, and ends it at a quota or by a fault. */
export function proxyWebSocket({ client, agent, quotas, fault, resetClient, early }: ProxyOptions): void {
  let state: 'open' | 'over' | 'blackhole' = 'open';
  let messages = 0;
  const idle = timer(quotas.idleTimeoutMs, () => controls.drop());
  const age = timer(quotas.maxDurationMs, () =>
    controls.close(1008, 'Policy violated: Max connection duration of 1 hour is exceeded'),
  );
  const isTooMany = rateLimit(quotas.maxFramesPerSecond);
  const leave = (next: 'over' | 'blackhole') => {
    state = next;
    clearTimeout(idle);
    clearTimeout(age);
    if (next === 'blackhole') return;
    timer(FAREWELL_MS, () => {
      client.destroy();
      agent.destroy();
    });
  };
  const controls: StreamControls = {
    close(code, reason) {
      if (state !== 'open') return;
      leave('over');
      toClient.endWith(closeFrame(code, reason));
      toAgent.endWith(closeFrame(code, reason, true));
    },
    drop() {
      if (state !== 'open') return;
      leave('over');
      toClient.discard();
      toAgent.discard();
      agent.destroy();
      client.end();
    },
    reset() {
      if (state !== 'open') return;
      leave('over');
      toClient.discard();
      toAgent.discard();
      agent.destroy();
      whenWritten(client, resetClient);
    },
    blackhole() {
      if (state !== 'open') return;
      leave('blackhole');
      toClient.discard();
      toAgent.discard();
    },
  };

  const judge = (frame: Frame): boolean => {
    idle?.refresh();
    if (frame.payloadBytes > quotas.maxFrameBytes) {
      controls.close(1009, 'Policy violated: message size limit of 64 KB for a message frame is exceeded');
    } else if (isTooMany()) {
      // What AgentCore says then is not known.
      controls.close(1008, '');
    }
    return state === 'open';
  };
  const toClient = lane(agent, client, {
    judge: (frame) => judge(frame) && !fault?.swallows?.(frame.opcode),
    onMessage: () => {
      messages += 1;
      return messages === fault?.afterMessages ? () => fault.act(controls) : undefined;
    },
  });
  const toAgent = lane(client, agent, { judge });

  client.on('end', () => state === 'open' && agent.end());
  agent.on('end', () => state === 'open' && client.end());
  client.once('close', () => {
    leave('over');
    agent.destroySoon();
  });
  agent.once('close', () => {
    if (state !== 'blackhole') client.destroySoon();
  });
  if (fault?.afterMessages === 0) fault.act(controls);
  if (early.fromClient.length > 0) toAgent.pass(early.fromClient);
  if (early.fromAgent.length > 0) toClient.pass(early.fromAgent);
  client.resume();
  agent.resume();
}

interface Lane {
  pass(bytes: Buffer): void;
  /** Lets a frame that has begun pass, then sends this one and ends the direction. */
  endWith(frame: Buffer): void;
  /** Nothing passes from now on. */
  discard(): void;
}

interface LaneOptions {
  /** Whether a frame passes, asked when it begins. */
  judge(frame: Frame): boolean;
  /** Called when the last byte of a message has passed; what it returns is done before anything else passes. */
  onMessage?: () => (() => void) | undefined;
}

function lane(from: Socket, to: Socket, { judge, onMessage }: LaneOptions): Lane {
  const read = frameReader();
  let open = true;
  let inFrame = false;
  let passes = true;
  let farewell: Buffer | undefined;
  const end = () => {
    open = false;
    if (to.writable) to.end(farewell ?? Buffer.alloc(0));
  };
  const pass = (bytes: Buffer) => {
    if (!open || !to.writable) return;
    to.cork();
    for (const part of read(bytes)) {
      if (part.first) passes = judge(part.frame);
      if (!open) break;
      inFrame = !part.last;
      if (passes) to.write(part.bytes);
      if (part.last && farewell) end();
      else if (part.last && part.frame.fin && part.frame.opcode <= 2) {
        const act = onMessage?.();
        if (act) {
          to.uncork();
          act();
        }
      }
      if (!open) break;
    }
    to.uncork();
    if (!to.writableNeedDrain) return;
    from.pause();
    to.once('drain', () => from.resume());
  };
  from.on('data', pass);
  return {
    pass,
    endWith(frame) {
      farewell = frame;
      if (!inFrame) end();
    },
    discard() {
      open = false;
      from.resume();
    },
  };
}

/** Runs an action when what was written before has left this process. */
export function whenWritten(socket: Socket, action: () => void): void {
  if (socket.destroyed || socket.writableLength === 0) action();
  else socket.write(Buffer.alloc(0), () => action());
}

function timer(ms: number, action: () => void): NodeJS.Timeout | undefined {
  return Number.isFinite(ms) ? setTimeout(action, ms).unref() : undefined;
}

/** Says true when more than so many are counted within a second. */
function rateLimit(perSecond: number): () => boolean {
  let since = 0;
  let count = 0;
  return () => {
    const now = performance.now();
    if (now - since >= 1000) {
      since = now;
      count = 0;
    }
    count += 1;
    return count > perSecond;
  };
}
