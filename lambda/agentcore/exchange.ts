import type { Agent } from '../agents.ts';
import type { StreamError } from '../errors.ts';

/** A session of an agent, as AgentCore knows it. */
export interface SessionRequest {
  agent: Agent;
  sessionId: string;
  /** The user's name for AgentCore, where the configuration asks for it. */
  userId?: string;
  /** Trace headers for the upstream request, names in lower case. */
  traceHeaders: Record<string, string>;
}

/** What is needed to open a connection of a session. */
export interface SessionOpening extends SessionRequest {
  /** Aborts the operation; the reason of its signal is the StreamError that is reported. */
  abort: AbortController;
  record: InvocationRecord;
}

/** One prompt to one agent. */
export interface Invocation extends SessionOpening {
  /** The agent's input, as JSON. */
  input: string;
  /** Called when everything else is ready; the prompt is sent when its promise resolves. @default at once */
  admission?: () => Promise<void>;
  /** Milliseconds until the invocation will be aborted for time. */
  remainingMs: () => number;
  log: Log;
}

/** Whether `[DONE]` was seen: it may follow an end of another form. */
export type AnswerEnd = 'marked' | 'unmarked';

/** One message: its bytes, and whether it is binary. */
export type Message = readonly [bytes: Buffer, isBinary: boolean];

/** A prompt that was handed over, and the messages that answer it. Both transports make it. */
export interface Exchange {
  /** The messages, in batches of all that have come meanwhile. The iteration ends however the connection ends. */
  messages: AsyncIterable<readonly Message[]>;
  /** Whether the answer before, on the same connection, had no `[DONE]`: one that comes first belongs to it. */
  followsUnmarked?: boolean;
  /** Content type of the body that the messages are pieces of, known with the first piece; absent for a WebSocket. */
  bodyType?: () => string;
  /**
   * Why the messages ended; undefined after a clean end.
   *
   * @param hasText whether a text of the answer had come
   */
  failure(hasText: boolean): StreamError | undefined;
  /**
   * Ends the exchange; to be called once, after the iteration.
   *
   * @param taken how many messages were taken
   * @param end how the agent marked the end, with `[DONE]` or otherwise; undefined where it did not, or more came
   */
  finish(taken: number, end?: AnswerEnd): void;
}

/** What an invocation did, for logs, metrics and traces. Times are in milliseconds. */
export interface InvocationRecord {
  retries: number;
  connectionsOpened: number;
  connectionsReused: number;
  connectionFailures: number;
  /** Texts that the agent sent, before a long one was cut. */
  chunksReceived: number;
  /** Duration of DNS, TCP, TLS and the upgrade; undefined for a reused connection. */
  connectionMs?: number;
  /** Duration of the upgrade alone. */
  upgradeMs?: number;
  /** `performance.now()` at these moments; undefined for a moment that did not come. */
  connectedAt?: number;
  promptSentAt?: number;
  firstChunkAt?: number;
  /** The agent asked the user something. */
  interrupted?: true;
  /** AgentCore's id of the upgrade or request. */
  upstreamRequestId?: string | undefined;
}

/** The record of an invocation that has done nothing yet. */
export function newRecord(): InvocationRecord {
  return {
    retries: 0,
    connectionsOpened: 0,
    connectionsReused: 0,
    connectionFailures: 0,
    chunksReceived: 0,
  };
}

/** A line of the log: what happened, and fields to search it by. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}
