import type { Socket } from 'node:net';

/** A fault of the data plane. */
export type DataPlaneFault = UpgradeFault | StreamFault;

/** At the upgrade, or at the POST. */
export interface UpgradeFault {
  at: 'upgrade';
  /** Returns true when it has dealt with the request, false to let it through. */
  act(connection: { socket: Socket; reset(): void }): boolean | Promise<boolean>;
}

/** In what an agent sends: the frames of a WebSocket, or the pieces of an HTTP body. */
export interface StreamFault {
  at: 'stream';
  /** Acts when so many messages have passed to the client, and before the next one does; 0 is at once. */
  afterMessages: number;
  act(controls: StreamControls): void;
  /** Keeps frames of the agent from the client, by their opcode. */
  swallows?(opcode: number): boolean;
}

/** The ways in which a stream can break. What has passed before still arrives. */
export interface StreamControls {
  /** A close frame from the service; over HTTP there is none, and it is a drop. */
  close(code: number, reason: string): void;
  /** The end of the TCP connection, without a close frame. */
  drop(): void;
  /** A TCP reset. */
  reset(): void;
  /** Nothing passes any more in either direction, and nobody is told. */
  blackhole(): void;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const upgrade = (act: UpgradeFault['act']): UpgradeFault => ({ at: 'upgrade', act });
const after = (afterMessages: number, act: StreamFault['act']): StreamFault => ({
  at: 'stream',
  afterMessages,
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
  ): UpgradeFault =>
    upgrade(({ socket }) => {
      const headers = {
        'content-type': 'application/json',
        'x-amzn-requestid': 'fault-request-id',
        ...(errorType && { 'x-amzn-ErrorType': errorType }),
        ...options.headers,
      };
      socket.end(rawAnswer(status, headers, JSON.stringify({ message, ...options.body })));
      return true;
    }),
  /** Refuses with an answer whose body is announced and never ends. */
  refuseEndlessly: (status: number, errorType: string, message = 'refused'): UpgradeFault =>
    upgrade(({ socket }) => {
      const answer = rawAnswer(status, { 'x-amzn-ErrorType': errorType }, JSON.stringify({ message }));
      socket.write(answer.replace(/content-length: \d+/, 'content-length: 1000'));
      return true;
    }),
  /** Lets the upgrade through, late. */
  slowUpgrade: (ms: number): UpgradeFault =>
    upgrade(async () => {
      await wait(ms);
      return false;
    }),
  /** Answers byte by byte, for ever. */
  dripUpgrade: (everyMs: number): UpgradeFault =>
    upgrade(({ socket }) => {
      const timer = setInterval(() => socket.write('H'), everyMs);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nx-drip: ');
      socket.once('close', () => clearInterval(timer));
      return true;
    }),
  /** Takes the request and says nothing. */
  silentUpgrade: (): DataPlaneFault => upgrade(() => true),
  /** A 101 with the wrong key. */
  wrongAccept: (): UpgradeFault =>
    upgrade(({ socket }) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm90IHRoZSBrZXk=\r\n\r\n',
      );
      return true;
    }),
  /** A reset instead of an answer. */
  resetUpgrade: (): UpgradeFault =>
    upgrade(({ reset }) => {
      reset();
      return true;
    }),
  /** Something that is not HTTP. */
  garbageUpgrade: (): UpgradeFault =>
    upgrade(({ socket }) => {
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
      return true;
    }),
  /** Sends the caller elsewhere. */
  redirect: (location: string): UpgradeFault =>
    FAULTS.refuse(302, undefined, 'moved', { headers: { location } }),
  /** Drops the connection without a close frame after k messages of the agent. */
  dropAfter: (k: number): StreamFault => after(k, ({ drop }) => drop()),
  /** Resets it after k messages. */
  resetAfter: (k: number): StreamFault => after(k, ({ reset }) => reset()),
  /** Closes it as the service does, after k messages. */
  closeAfter: (k: number, code: number, reason = ''): StreamFault =>
    after(k, ({ close }) => close(code, reason)),
  /** Nothing passes any more in either direction after k messages: a half-open connection. */
  blackholeAfter: (k: number): StreamFault => after(k, ({ blackhole }) => blackhole()),
  /** The agent's pongs do not arrive. */
  swallowPongs: (): StreamFault => ({
    ...after(Number.POSITIVE_INFINITY, () => {}),
    swallows: (opcode) => opcode === 10,
  }),
};

/** An HTTP answer as bytes, for a socket that has been taken from the server. */
export function rawAnswer(status: number, headers: Record<string, string>, body: string): string {
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} Status`, ...lines, '', body].join('\r\n');
}

/** Which requests a fault meets. */
export interface FaultOptions {
  /** How many. @default all */
  times?: number;
  /** @default those of every session */
  sessionId?: string;
  /** Of each, 0 to 1. @default 1 */
  probability?: number;
}

/** Faults waiting for their requests, by runtime. */
export class FaultBox {
  /** How many requests so far. */
  met = 0;
  readonly #waiting = new Map<string, { fault: DataPlaneFault; options: FaultOptions; left: number }[]>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The newest fault is asked first; none at all takes them all back. */
  put(runtimeArn: string, fault: DataPlaneFault | undefined, options: FaultOptions): void {
    const older = this.#waiting.get(runtimeArn) ?? [];
    const { times = Number.POSITIVE_INFINITY } = options;
    this.#waiting.set(runtimeArn, fault ? [{ fault, options, left: times }, ...older] : []);
  }

  take(runtimeArn: string, sessionId: string): DataPlaneFault | undefined {
    const met = this.#waiting
      .get(runtimeArn)
      ?.find(
        ({ options, left }) =>
          left > 0 &&
          (options.sessionId ?? sessionId) === sessionId &&
          (options.probability === undefined || this.#random() < options.probability),
      );
    if (!met) return undefined;
    met.left -= 1;
    this.met += 1;
    return met.fault;
  }
}
