import type { Agent } from '../agents.ts';
import type { StreamError } from '../errors.ts';

/** A session of an agent, as AgentCore knows it. */
export interface SessionRequest {
  agent: Agent;
  sessionId: string;
  /** Who asks, where AgentCore is to know it. */
  userId?: string;
  /** Trace headers for the upstream request, names in lower case. */
  traceHeaders: Record<string, string>;
}

/** What the opening of a session's connection needs. */
export interface SessionOpening extends SessionRequest {
  /** Ends what is under way; its signal's reason is the StreamError that is reported. */
  abort: AbortController;
  record: InvocationRecord;
}

/** One prompt to one agent. */
export interface Invocation extends SessionOpening {
  /** What the agent is sent, as JSON. */
  input: string;
  /** Settles when the prompt may be sent; asked when everything else is ready. @default at once */
  admission?: () => Promise<void>;
  /** Milliseconds until the invocation will be aborted for time. */
  remainingMs: () => number;
  log: Log;
}

/** A prompt that has been handed over, and the agent's messages; the same for both transports. */
export interface Exchange {
  /** Each message as its bytes and whether it is binary. Bounded; ends however the connection ends. */
  messages: AsyncIterable<[Buffer, boolean]>;
  /** Content type of the one body that the messages are pieces of, once the first is there; absent for real messages. */
  bodyType?: () => string;
  /** Why the messages ended; undefined when that was in good order. */
  lost(): StreamError | undefined;
  /**
   * To be called once, when the iteration has been left.
   *
   * @param taken how many messages were taken
   * @param complete whether the agent marked the end and nothing came after it
   */
  finish(taken: number, complete: boolean): void;
}

/** What one invocation did, for logs, metrics and traces. Times are milliseconds. */
export interface InvocationRecord {
  retries: number;
  connectionsOpened: number;
  connectionsReused: number;
  connectionFailures: number;
  /** Texts that the agent sent, before a long one was cut. */
  chunksReceived: number;
  /** Of the connection in use: DNS, TCP, TLS and upgrade; undefined when it was reused. */
  connectionMs?: number;
  /** Of the connection in use: the upgrade alone. */
  upgradeMs?: number;
  /** `performance.now()` at these moments; undefined when they never came. */
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
