import type { ErrorDetails, StreamError } from '../errors.ts';
import type { ContentEvent, Usage } from '../events.ts';

/** What every event of an answer may name. */
export interface AnswerContext {
  sessionId: string;
  agentId: string;
  requestId: string;
  /** The caller's session id was none, and another took its place. */
  sessionReplaced: boolean;
  /** @see InvokeRequest.run */
  run?: Record<string, unknown>;
  /** @see InvokeRequest.clientTools */
  clientTools?: readonly string[];
  /** Present where the answer can be read again from any of its events on: then each event tells its place. */
  replay?: Replay;
}

export interface Replay {
  /** Number of the last event that the reader has; the first one is 0. @default none, all are written */
  after?: number;
}

/** What a caller asks, whatever its body looks like. */
export interface InvokeRequest {
  /** As the caller names it; undefined where it names none. */
  agentId?: string;
  /** Empty only where {@link run} or {@link isIdle} says more. */
  prompt: string;
  /** Of UTF-8. */
  promptBytes: number;
  sessionId: string;
  /** The caller's session id was none, and {@link sessionId} took its place. */
  sessionReplaced?: true;
  /** Further keys for the agent. */
  payload?: Record<string, unknown>;
  /** The RunAgentInput of a caller that speaks AG-UI. */
  run?: Record<string, unknown>;
  /** Tools of the caller that the agent may call: their results come with the next request. */
  clientTools?: readonly string[];
  /** There is nothing to ask an agent: the answer is empty, and no session begins. */
  isIdle?: true;
}

/** What a reader of requests knows beside the body. */
export interface ReadOptions {
  /** Of the path. */
  agentId?: string;
  maxPromptBytes: number;
  /** Whether this agent, or the only one where none is named, reads a RunAgentInput itself. */
  takesRun(agentId: string | undefined): boolean;
}

export interface AnswerStats {
  /** How many pieces of text went out. */
  chunks: number;
  /** UTF-8 bytes of the text. */
  bytes: number;
  durationMs: number;
  /** Tokens, where the agent told them. */
  usage?: Usage;
  /** The agent asked the user something and waits for the reply. */
  interrupted?: true;
  /** The caller had the answer stopped. */
  stopped?: true;
}

/** What a frontend understands. A further protocol is one such object in a file of its own and one line in `protocols.ts`. */
export interface Protocol {
  /** What a caller's `Accept` must rank highest to get it, where a route offers several. */
  mediaType: string;
  contentType: string;
  /** Further headers of an answer. */
  headers?: Record<string, string>;
  /** Whether silence may be filled, with {@link heartbeat} and {@link nudge}, and committed by time. */
  fillsSilence: boolean;
  heartbeat: string;
  nudge: string;
  /** Structured data of the generic dialect goes out as text, as it was sent. */
  inlinesData: boolean;
  /** UTF-16 units; a longer text goes out as several text events. */
  maxTextLength: number;
  /**
   * Reads a request. Unknown fields are ignored, an invalid session id is replaced.
   *
   * @throws StreamError BadRequest naming the field, or PayloadTooLarge; `details.sessionId` is always there
   */
  readRequest(body: Record<string, unknown>, options: ReadOptions): InvokeRequest;
  createWriter(context: AnswerContext): ProtocolWriter;
  /** An answer that failed before anything was written. @default one JSON document, as on every other route */
  refusal?(error: StreamError, requestId: string, details: ErrorDetails): Refusal;
}

/** Writes one answer. Each method returns the text to write; it holds no more than what is open. */
export interface ProtocolWriter {
  /** What an answer begins with; called once, before anything else is written. */
  open(): string;
  /** Empty where the protocol cannot say the event. */
  event(event: ContentEvent): string;
  done(stats: AnswerStats): string;
  fail(error: StreamError, stats: AnswerStats): string;
}

/** Body and further headers of an answer whose status is its error's. */
export interface Refusal {
  contentType: string;
  headers?: Record<string, string>;
  body: string;
}
