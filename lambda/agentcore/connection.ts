import { randomBytes } from 'node:crypto';
// biome-ignore lint/style/noRestrictedImports: this file and upgrade.ts own it
import WebSocket from 'ws';
import { isEndMark } from '../end-mark.ts';
import { StreamError } from '../errors.ts';
import type { AnswerEnd, Exchange } from './exchange.ts';
import { batchesOf, type MessageBatches } from './message-batches.ts';
import { failureOfBreak, failureOfClose } from './socket-failures.ts';
import type { Upgraded } from './upgrade.ts';
import { whenWaitingInputIsRead } from './waiting-input.ts';
import { hasBegunMessage, hasFragments } from './ws-receiver.ts';

/** AgentCore closes a connection at a frame over 64 KB; its older documents say 32 KB. */
const MAX_FRAME_BYTES = 32_000;

export interface ConnectionExchange {
  receive: Exchange['receive'];
  /** Whether the previous answer had no `[DONE]`: a `[DONE]` as the first message belongs to it. */
  followsUnmarked: boolean;
  /**
   * Ends the exchange; to be called once, after the last message.
   *
   * @param taken the number of messages that were taken
   * @param end how the answer ended, if it is complete
   */
  finish(taken: number, end?: AnswerEnd): void;
}

/** The session that a connection belongs to. */
export interface Owner {
  /** The id of the agent's entry. */
  agent: string;
  sessionId: string;
}

/** One open WebSocket. It serves one exchange at a time. */
export class Connection {
  /** Milliseconds of the wall clock: in a frozen environment the other clocks may stand still. */
  readonly openedAt = Date.now();
  /** When the connection was last in use, by the wall clock. */
  lastUsedAt = Date.now();
  readonly owner: Owner;
  /** AgentCore's id of the upgrade. */
  readonly upstreamRequestId: string | undefined;
  readonly #ws: WebSocket;
  readonly #pingIntervalMs: number;
  #received = 0;
  #taken = 0;
  #endsInMark = false;
  /** Whether the last answer ended without `[DONE]`, which may follow. */
  #awaitsMark = false;
  #unansweredPings = 0;
  /** Takes the messages while an exchange is under way. */
  #batches: MessageBatches | undefined;
  #closed: { code: number; reason: string } | undefined;
  #broken: unknown;

  constructor({ ws, upstreamRequestId }: Upgraded, pingIntervalMs: number, owner: Owner) {
    this.#ws = ws;
    this.owner = owner;
    this.#pingIntervalMs = pingIntervalMs;
    this.upstreamRequestId = upstreamRequestId;
    // This is the only listener while an answer runs: with a second one, each message would copy the list of listeners.
    ws.on('message', (data: Buffer, isBinary) => {
      this.#received += 1;
      this.#endsInMark = isEndMark(data);
      this.#unansweredPings = 0;
      this.#batches?.add([data, isBinary]);
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
      // Bytes after a close frame are ignored.
      if (isClean && hasFragments(ws)) {
        this.#broken ??= new StreamError('AgentInterrupted', 'the agent closed in the middle of a message');
      }
    });
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  /**
   * Whether the connection is open and drained: every message was taken, and no further one has begun. Any other
   * message would be read as part of the next answer.
   */
  get isReusable(): boolean {
    return this.isOpen && this.#isDrained && !hasBegunMessage(this.#ws);
  }

  /** Whether no message waits. A mark of an end that is already known does not count. */
  get #isDrained(): boolean {
    const waiting = this.#received - this.#taken;
    return waiting === 0 || (waiting === 1 && this.#awaitsMark && this.#endsInMark);
  }

  /** The code and the reason of the close frame, once the connection is closed. */
  get closed(): { code: number; reason: string } | undefined {
    return this.#closed;
  }

  /**
   * Sends one text message and receives the messages that follow. The socket is paused while 16 messages wait. When the
   * connection ends, receiving ends without an error, and {@link failure} tells why. When the signal is aborted,
   * receiving rejects after the messages that wait.
   *
   * @throws StreamError when the socket is not open and nothing was sent: AgentFailed if the agent's close frame
   * reports a failure, otherwise AgentUnavailable
   */
  exchange(message: string, signal: AbortSignal): ConnectionExchange {
    if (!this.isOpen) {
      const failure = this.failure() ?? this.#goneError();
      throw failure.code === 'AgentInterrupted' ? this.#goneError(failure) : failure;
    }
    const ws = this.#ws;
    this.#unansweredPings = 0;
    const followsUnmarked = this.#awaitsMark && this.#received === this.#taken;
    this.#taken = this.#received;
    this.#awaitsMark = false;
    const batches = batchesOf(ws, signal);
    this.#batches = batches;
    // The socket is paused since its upgrade, so that no message was missed.
    ws.resume();
    const pings = setInterval(() => this.#pingOrGiveUp(), this.#pingIntervalMs);
    this.#send(Buffer.from(message));
    return {
      receive: batches.receive,
      followsUnmarked,
      finish: (taken, end) => {
        clearInterval(pings);
        this.#batches = undefined;
        // An exchange that ends while its queue is full leaves the socket paused: it answers no ping and cannot close.
        ws.resume();
        this.lastUsedAt = Date.now();
        this.#taken += taken;
        this.#awaitsMark = end === 'unmarked';
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

  /** Ends the connection after two intervals without a message or a pong. A paused socket receives neither. */
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

  /**
   * Returns why the connection ended; undefined after a clean close, and while it is open.
   *
   * @param hasText whether a text of the answer has arrived
   */
  failure(hasText = false): StreamError | undefined {
    if (this.#broken instanceof StreamError) return this.#broken;
    if (this.#broken !== undefined) return failureOfBreak(this.#broken);
    return this.#closed && failureOfClose(this.#closed.code, this.#closed.reason, hasText);
  }

  /** Tests whether the peer answers a ping within the limit. `readyState` proves nothing after a freeze. */
  ping(timeoutMs: number): Promise<boolean> {
    if (!this.isOpen) return Promise.resolve(false);
    return new Promise((resolve) => {
      // The pong to an earlier ping may have waited unread during a freeze: only the pong to this ping counts.
      const token = randomBytes(4);
      const settle = (isAlive: boolean) => {
        clearTimeout(timer);
        this.#ws.off('pong', onPong).off('close', onClose);
        resolve(isAlive);
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

  /** Sends a ping and does not wait: AgentCore drops a connection without a frame for a minute. */
  keepAlive(): void {
    if (this.isOpen) this.#ws.ping();
  }

  /**
   * Calls the listener at each message that makes an idle connection unfit for its session's next turn, and at the
   * close. Returns a function that removes the listener.
   */
  onActivity(listener: () => void): () => void {
    const onMessage = () => {
      if (!this.#isDrained) listener();
    };
    this.#ws.on('message', onMessage).once('close', listener);
    return () => this.#ws.off('message', onMessage).off('close', listener);
  }

  /** Closes a drained connection with a close frame. A peer that does not answer it within a second is cut off. */
  close(): void {
    this.#ws.close(1000);
  }

  /**
   * Sends a close frame and cuts the connection off at once, for an exchange that is not over. A wait for the reply
   * would have to read everything that the agent still sends, and the environment may be frozen long before the reply.
   */
  abandon(): void {
    this.#ws.close(1000);
    this.#ws.terminate();
  }

  /** Cuts the connection off without a close frame, for a peer that gives no sign of life. */
  terminate(): void {
    this.#ws.terminate();
  }
}
