import type { Socket } from 'node:net';

/** A fault of the data plane, at the upgrade (or the POST) or in the stream of frames after it. */
export type DataPlaneFault =
  | {
      at: 'upgrade';
      /** Returns true when it has dealt with the request, false to let it through. */
      act(socket: Socket): boolean | Promise<boolean>;
    }
  | {
      at: 'stream';
      /** Called after each message of the agent with how many there were, 0 at the start. */
      act(state: { messages: number; client: Socket; agent: Socket }): void;
      /** Keeps the agent's pongs from the client. */
      swallow?: (opcode: number) => boolean;
    };

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const upgrade = (act: (socket: Socket) => boolean | Promise<boolean>): DataPlaneFault => ({
  at: 'upgrade',
  act,
});

/** Faults by name. */
export const FAULTS = {
  /** Refuses with an exception of AgentCore, or of anything else. */
  refuse: (
    status: number,
    errorType?: string,
    message = 'refused',
    options: { headers?: Record<string, string>; body?: object } = {},
  ): DataPlaneFault =>
    upgrade((socket) => {
      const headers = {
        'content-type': 'application/json',
        'x-amzn-requestid': 'fault-request-id',
        ...(errorType && { 'x-amzn-ErrorType': errorType }),
        ...options.headers,
      };
      socket.end(rawAnswer(status, headers, JSON.stringify({ message, ...options.body })));
      return true;
    }),
  /** Lets the upgrade through, late. */
  slowUpgrade: (ms: number): DataPlaneFault =>
    upgrade(async () => {
      await wait(ms);
      return false;
    }),
  /** Answers byte by byte, for ever. */
  dripUpgrade: (everyMs: number): DataPlaneFault =>
    upgrade((socket) => {
      const timer = setInterval(() => socket.write('H'), everyMs);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nx-drip: ');
      socket.once('close', () => clearInterval(timer));
      return true;
    }),
  /** Takes the request and says nothing. */
  silentUpgrade: (): DataPlaneFault => upgrade(() => true),
  /** A 101 with the wrong key. */
  wrongAccept: (): DataPlaneFault =>
    upgrade((socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm90IHRoZSBrZXk=\r\n\r\n',
      );
      return true;
    }),
  /** A reset instead of an answer. */
  resetUpgrade: (): DataPlaneFault =>
    upgrade((socket) => {
      socket.resetAndDestroy();
      return true;
    }),
  /** Something that is not HTTP. */
  garbageUpgrade: (): DataPlaneFault =>
    upgrade((socket) => {
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
      return true;
    }),
  /** Drops the connection without a close frame after k messages of the agent. */
  dropAfter: (k: number): DataPlaneFault => after(k, ({ client }) => client.destroy()),
  /** Resets it after k messages. */
  resetAfter: (k: number): DataPlaneFault => after(k, ({ client }) => client.resetAndDestroy()),
  /** Nothing passes any more in either direction after k messages: a half-open connection. */
  blackholeAfter: (k: number): DataPlaneFault =>
    after(k, ({ client, agent }) => {
      client.pause();
      agent.pause();
      client.removeAllListeners('data');
      agent.removeAllListeners('data');
      client.on('data', () => {});
      agent.on('data', () => {});
    }),
  /** The agent's pongs do not arrive. */
  swallowPongs: (): DataPlaneFault => ({ at: 'stream', act: () => {}, swallow: (opcode) => opcode === 10 }),
};

function after(k: number, act: (state: { client: Socket; agent: Socket }) => void): DataPlaneFault {
  return {
    at: 'stream',
    act: (state) => {
      if (state.messages === k) act(state);
    },
  };
}

/** An HTTP answer as bytes, for a socket that has been taken from the server. */
export function rawAnswer(status: number, headers: Record<string, string>, body: string): string {
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} Status`, ...lines, '', body].join('\r\n');
}

/** Faults waiting for their requests, by runtime. */
export class FaultBox {
  readonly #faults = new Map<string, { fault: DataPlaneFault; left: number }>();

  put(runtimeArn: string, fault: DataPlaneFault | undefined, times = Number.POSITIVE_INFINITY): void {
    if (fault) this.#faults.set(runtimeArn, { fault, left: times });
    else this.#faults.delete(runtimeArn);
  }

  take(runtimeArn: string): DataPlaneFault | undefined {
    const waiting = this.#faults.get(runtimeArn);
    if (!waiting) return undefined;
    waiting.left -= 1;
    if (waiting.left <= 0) this.#faults.delete(runtimeArn);
    return waiting.fault;
  }
}
