import { randomBytes } from 'node:crypto';
import { on } from 'node:events';
// biome-ignore lint/style/noRestrictedImports: this file and upgrade.ts own it
import WebSocket from 'ws';
import { StreamError } from '../errors.ts';
import { failureOfBreak, failureOfClose } from './socket-failures.ts';
import type { Upgraded } from './upgrade.ts';
import { whenWaitingInputIsRead } from './waiting-input.ts';

/** AgentCore closes at a frame over 64 KB, its older texts say 32 KB. */
const MAX_FRAME_BYTES = 32_000;

export interface ConnectionExchange {
  messages: AsyncIterable<[Buffer, boolean]>;
  /** To be called once, when the iteration has been left; with how many messages were taken. */
  finish(taken: number): void;
}

/** Whose connection it is. */
export interface Owner {
  /** Id of the agent's entry. */
  agent: string;
  sessionId: string;
}

/** One open WebSocket. It serves one exchange at a time. */
export class Connection {
  /** Wall clock, milliseconds: a frozen environment's other clocks may stand still. */
  readonly openedAt = Date.now();
  /** When it last was in use, wall clock. */
  lastUsedAt = Date.now();
  readonly owner: Owner;
  /** AgentCore's id of the upgrade. */
  readonly upstreamRequestId: string | undefined;
  readonly #ws: WebSocket;
  readonly #pingIntervalMs: number;
  #received = 0;
  #taken = 0;
  #unansweredPings = 0;
  #closed: { code: number; reason: string } | undefined;
  #broken: unknown;

  constructor({ ws, upstreamRequestId }: Upgraded, pingIntervalMs: number, owner: Owner) {
    this.#ws = ws;
    this.owner = owner;
    this.#pingIntervalMs = pingIntervalMs;
    this.upstreamRequestId = upstreamRequestId;
    ws.on('message', () => {
      this.#received += 1;
      this.#unansweredPings = 0;
    });
    ws.on('pong', () => {
      this.#unansweredPings = 0;
    });
    ws.on('error', (error) => {
      this.#broken ??= error;
    });
    ws.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      const isClean = failureOfClose(code, '') === undefined;
      // What stands behind a close frame in the same segment is nobody's business.
      if (isClean && receiverOf(ws)._fragments.length > 0) {
        this.#broken ??= new StreamError('AgentInterrupted', 'the agent closed in the middle of a message');
      }
    });
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  /** Open, and nothing has come, or begun to, that was not taken: it would be in the next answer. */
  get isReusable(): boolean {
    return this.isOpen && this.#received === this.#taken && !hasBegunMessage(this.#ws);
  }

  /** Close code and reason, once closed. */
  get closed(): { code: number; reason: string } | undefined {
    return this.#closed;
  }

  /**
   * Sends one text message; the messages that come are iterated as their bytes and whether they are binary.
   * The iteration is bounded (the socket is paused while 16 messages wait) and ends quietly however the
   * connection ends: {@link failure} tells why. Aborting the signal makes it throw, after the waiting messages.
   *
   * @throws StreamError when the socket is not open, and nothing was sent: AgentUnavailable, or AgentFailed where the
   * agent's close frame says so
   */
  exchange(message: string, signal: AbortSignal): ConnectionExchange {
    if (!this.isOpen) {
      const failure = this.failure() ?? this.#goneError();
      throw failure.code === 'AgentInterrupted' ? this.#goneError(failure) : failure;
    }
    const ws = this.#ws;
    this.#unansweredPings = 0;
    const messages = on(ws, 'message', { close: ['close'], signal, highWaterMark: 16, lowWaterMark: 4 });
    // Since its upgrade it was paused: whatever comes is heard.
    ws.resume();
    const pings = setInterval(() => this.#pingOrGiveUp(), this.#pingIntervalMs);
    this.#send(Buffer.from(message));
    return {
      messages: messages as AsyncIterable<[Buffer, boolean]>,
      finish: (taken) => {
        clearInterval(pings);
        // Left early with a full queue the socket would stay paused, deaf to pings and unable to close.
        ws.resume();
        this.lastUsedAt = Date.now();
        this.#taken += taken;
      },
    };
  }

  #goneError(cause?: unknown): StreamError {
    return new StreamError('AgentUnavailable', 'the agent closed the connection', {
      cause,
      retry: 'backoff',
    });
  }

  #send(message: Buffer): void {
    for (let start = 0; start < message.length; start += MAX_FRAME_BYTES) {
      const end = start + MAX_FRAME_BYTES;
      this.#ws.send(message.subarray(start, end), { binary: false, fin: end >= message.length });
    }
  }

  /** Two intervals without a sign of life end the connection. While we are paused none can arrive. */
  #pingOrGiveUp(): void {
    if (this.#ws.isPaused) {
      this.#unansweredPings = 0;
    } else if (this.#unansweredPings >= 2) {
      whenWaitingInputIsRead(() => this.#giveUpIfUnanswered());
      return;
    } else {
      this.#unansweredPings += 1;
    }
    this.keepAlive();
  }

  #giveUpIfUnanswered(): void {
    if (this.#unansweredPings < 2) return this.#pingOrGiveUp();
    this.#broken ??= new StreamError('AgentInterrupted', 'the agent stopped answering pings');
    this.#ws.terminate();
  }

  /** Why the connection ended; undefined for a clean close, and as long as it has not. */
  failure(): StreamError | undefined {
    if (this.#broken instanceof StreamError) return this.#broken;
    if (this.#broken !== undefined) return failureOfBreak(this.#broken);
    return this.#closed && failureOfClose(this.#closed.code, this.#closed.reason);
  }

  /** Whether the peer answers a ping within the limit. `readyState` is no evidence after a freeze. */
  ping(timeoutMs: number): Promise<boolean> {
    if (!this.isOpen) return Promise.resolve(false);
    return new Promise((resolve) => {
      // The pong to an earlier ping may have lain unread through a freeze, and proves nothing.
      const token = randomBytes(4);
      const settle = (alive: boolean) => {
        clearTimeout(timer);
        this.#ws.off('pong', onPong).off('close', onClose);
        resolve(alive);
      };
      const onPong = (data: Buffer) => {
        if (data.equals(token)) settle(true);
      };
      const onClose = () => settle(false);
      const timer = setTimeout(() => whenWaitingInputIsRead(onClose), timeoutMs);
      this.#ws.on('pong', onPong).once('close', onClose);
      this.#ws.ping(token);
    });
  }

  /** Pings without waiting: a socket without any frame for a minute is dropped by the service. */
  keepAlive(): void {
    if (this.isOpen) this.#ws.ping();
  }

  /** Calls back at the first message or close from now on; for a connection that nobody uses. */
  onDisturbed(listener: () => void): () => void {
    this.#ws.once('message', listener).once('close', listener);
    return () => this.#ws.off('message', listener).off('close', listener);
  }

  /** Closes in good order; a peer that does not answer is cut off after a second. */
  close(): void {
    this.#ws.close(1000);
  }

  /**
   * Ends an exchange that is not over: a close frame, and no wait for its answer, before which everything would have
   * to be read that the agent still sends. An environment is frozen long before that.
   */
  abandon(): void {
    this.#ws.close(1000);
    this.#ws.terminate();
  }

  /** Cuts the connection off. */
  terminate(): void {
    this.#ws.terminate();
  }
}

/** Whether a message or frame has begun and not ended. */
function hasBegunMessage(ws: WebSocket): boolean {
  const { _fragments, _bufferedBytes, _state } = receiverOf(ws);
  return _fragments.length > 0 || _bufferedBytes > 0 || _state !== 0;
}

interface Receiver {
  /** Of a message of several frames. */
  _fragments: unknown[];
  /** Of a frame. */
  _bufferedBytes: number;
  /** In which part of a frame it is; 0: in none. */
  _state: number;
}

/** ws 8.23 tells nobody what it is in the middle of, but its receiver, which is private, knows. */
function receiverOf(ws: WebSocket): Receiver {
  return (ws as unknown as { _receiver: Receiver })._receiver;
}
