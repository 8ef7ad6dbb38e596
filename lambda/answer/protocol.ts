import type { ErrorDetails, StreamError } from '../errors.ts';
import type { ContentEvent, Usage } from '../events.ts';

/** The values that every event of an answer may name. */
export interface AnswerContext {
  sessionId: string;
  agentId: string;
  requestId: string;
  /** Whether the caller's session id was not valid, and {@link sessionId} replaces it. */
  sessionReplaced: boolean;
  /** @see InvokeRequest.run */
  run?: Record<string, unknown>;
  /** @see InvokeRequest.clientTools */
  clientTools?: readonly string[];
  /** Present if the answer can be read again from any of its events. Each event then names its place. */
  replay?: Replay;
}

export interface Replay {
  /** The number of the last event that the reader has. The first event is 0. @default - all events are written */
  after?: number;
}

/** A request for an answer, in any protocol. */
export interface InvokeRequest {
  /** The agent as the caller names it; undefined if the caller names none. */
  agentId?: string;
  /** The prompt. It is empty only if there is a {@link run}, or if the request {@link isIdle}. */
  prompt: string;
  /** The size of the prompt in UTF-8. */
  promptBytes: number;
  sessionId: string;
  /** Whether the caller's session id was not valid, and {@link sessionId} replaces it. */
  sessionReplaced?: true;
  /** Further keys for the agent. */
  payload?: Record<string, unknown>;
  /** The RunAgentInput of a caller that speaks AG-UI. */
  run?: Record<string, unknown>;
  /** The caller's own tools that the agent may call. Their results come with the next request. */
  clientTools?: readonly string[];
  /** Whether there is nothing to ask an agent. The answer is then empty, and no session begins. */
  isIdle?: true;
}

/** The facts beside the body that a reader of requests needs. */
export interface ReadOptions {
  /** The agent that the path names, if any. */
  agentId?: string;
  maxPromptBytes: number;
  /** Whether the named agent, or without a name the only agent, reads a RunAgentInput itself. */
  takesRun(agentId: string | undefined): boolean;
}

export interface AnswerStats {
  /** The number of texts that were sent. */
  chunks: number;
  /** The number of UTF-8 bytes of the text. */
  bytes: number;
  durationMs: number;
  /** The tokens, if the agent reported them. */
  usage?: Usage;
  /** Whether the agent asked the user something and waits for the reply. */
  interrupted?: true;
  /** Whether a caller stopped the answer. */
  stopped?: true;
}

/** A protocol of frontends. A further protocol is one such object in its own file and one line in `protocols.ts`. */
export interface Protocol {
  /** The media type that `Accept` must rank highest to get this protocol, on a route that offers several. */
  mediaType: string;
  contentType: string;
  /** Further headers of an answer. */
  headers?: Record<string, string>;
  /**
   * Whether {@link heartbeat} and {@link nudge} may fill silence, and an answer may begin without text after a time.
   */
  fillsSilence: boolean;
  heartbeat: string;
  nudge: string;
  /** Whether structured data of the generic dialect is sent as text, exactly as the agent sent it. */
  inlinesData: boolean;
  /** The longest text of one event, in UTF-16 units. A longer text is sent as several events. */
  maxTextLength: number;
  /**
   * Reads a request. Unknown fields are ignored, and an invalid session id is replaced.
   *
   * @throws StreamError BadRequest naming the field, or PayloadTooLarge, each with `details.sessionId`
   */
  readRequest(body: Record<string, unknown>, options: ReadOptions): InvokeRequest;
  createWriter(context: AnswerContext): ProtocolWriter;
  /** Makes the response of an answer that failed before anything was written. @default - one JSON document */
  refusal?(error: StreamError, requestId: string, details: ErrorDetails): Refusal;
}

/** Writes one answer. Each method returns the text to write. The writer remembers only what is open. */
export interface ProtocolWriter {
  /** Returns the beginning of an answer; to be called once, before anything is written. */
  open(): string;
  /** Returns an event; empty if the protocol has no form for it. */
  event(event: ContentEvent): string;
  done(stats: AnswerStats): string;
  fail(error: StreamError, stats: AnswerStats): string;
}

/** The body and further headers of a response whose status is that of an error. */
export interface Refusal {
  contentType: string;
  headers?: Record<string, string>;
  body: string;
}
