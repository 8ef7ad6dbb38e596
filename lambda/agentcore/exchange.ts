import type { Agent } from '../agents.ts';
import type { StreamError } from '../errors.ts';

/** A session of an agent, as AgentCore knows it. */
export interface SessionRequest {
  agent: Agent;
  sessionId: string;
  /** The user's identity for AgentCore, if the configuration asks for it. */
  userId?: string;
  /** The trace headers for the upstream request, with names in lower case. */
  traceHeaders: Record<string, string>;
}

/** A request to open a connection of a session. */
export interface SessionOpening extends SessionRequest {
  /** Aborts the operation. The reason of its signal is the StreamError that is reported. */
  abort: AbortController;
  record: InvocationRecord;
}

/** One prompt to one agent. */
export interface Invocation extends SessionOpening {
  /** The agent's input, as JSON. */
  input: string;
  /** Called when everything else is ready. The prompt is sent when the promise resolves. @default - sent at once */
  admission?: () => Promise<void>;
  /** Returns the milliseconds until the invocation is aborted for time. */
  remainingMs: () => number;
  log: Log;
}

/** Whether `[DONE]` has arrived. After an end of another form it may still follow. */
export type AnswerEnd = 'marked' | 'unmarked';

/** One message: its bytes, and whether it is binary. */
export type Message = readonly [bytes: Buffer, isBinary: boolean];

/** Takes messages that arrived together. Returns whether more are wanted, or a promise while no more can be taken. */
export type TakeMessages = (messages: readonly Message[]) => boolean | Promise<boolean>;

/** A prompt that was handed over, and the messages that answer it. Both transports make it. */
export interface Exchange {
  /**
   * Hands the messages over, in batches of those that arrived together; to be called once. The promise resolves when no
   * more messages are wanted or the connection ends, and rejects when the answer is aborted or its taker throws.
   */
  receive: (take: TakeMessages) => Promise<void>;
  /** Whether the previous answer on the connection had no `[DONE]`: a `[DONE]` as the first message belongs to it. */
  followsUnmarked?: boolean;
  /** Returns the content type of the body whose pieces the messages are, once there is one. Absent for a WebSocket. */
  bodyType?: () => string;
  /**
   * Returns why the messages ended; undefined after a clean end.
   *
   * @param hasText whether a text of the answer has arrived
   */
  failure(hasText: boolean): StreamError | undefined;
  /**
   * Ends the exchange; to be called once, after the last message.
   *
   * @param taken the number of messages that were taken
   * @param end whether the end had a `[DONE]`; undefined if the answer is not complete, or more came after its end
   */
  finish(taken: number, end?: AnswerEnd): void;
}

/** The record of an invocation for logs, metrics and traces. Times are in milliseconds. */
export interface InvocationRecord {
  retries: number;
  connectionsOpened: number;
  connectionsReused: number;
  connectionFailures: number;
  /** The number of texts that the agent sent, counted before long ones are cut. */
  chunksReceived: number;
  /** The duration of DNS, TCP, TLS and the upgrade; undefined for a reused connection. */
  connectionMs?: number;
  /** The duration of only the upgrade. */
  upgradeMs?: number;
  /** `performance.now()` at this moment and the next ones; undefined if the moment has not come. */
  connectedAt?: number;
  promptSentAt?: number;
  firstChunkAt?: number;
  /** Whether the agent asked the user something. */
  interrupted?: true;
  /** AgentCore's id of the upgrade or request. */
  upstreamRequestId?: string | undefined;
}

/** Makes the record of a new invocation. */
export function newRecord(): InvocationRecord {
  return {
    retries: 0,
    connectionsOpened: 0,
    connectionsReused: 0,
    connectionFailures: 0,
    chunksReceived: 0,
  };
}

/** Writes lines to the log. Each has a message, and fields to search by. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}
