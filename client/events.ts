/** The service has accepted the request. This event comes first, with the first text or after a long silence. */
export interface StartEvent {
  type: 'start';
  sessionId: string;
  agentId: string;
  requestId: string;
  /** The session id of the request was not valid. `sessionId` is a new session, and the agent remembers nothing. */
  sessionReplaced?: true;
}

/** The next text of the answer, exactly as the agent sent it. Append it to the text before. */
export interface ChunkEvent {
  type: 'chunk';
  text: string;
}

/** The next text of the model's reasoning. Append it to the reasoning before, apart from the answer's text. */
export interface ReasoningEvent {
  type: 'reasoning';
  text: string;
}

/** The agent calls a tool; its input follows in pieces. */
export interface ToolCallEvent {
  type: 'toolCall';
  /** The id of the call, the same in all of its events. */
  id: string;
  name: string;
}

/** The next piece of a tool's input. The whole input is usually JSON. */
export interface ToolInputEvent {
  type: 'toolInput';
  id: string;
  delta: string;
}

/** The input of a tool is complete. */
export interface ToolCallEndEvent {
  type: 'toolCallEnd';
  id: string;
}

/** The result of a tool: a text, or any other JSON value. */
export interface ToolResultEvent {
  type: 'toolResult';
  id: string;
  output: unknown;
  isError: boolean;
}

/**
 * The agent asks the user something and ends this answer. The reply goes into `payload` of the session's next prompt.
 */
export interface InterruptEvent {
  type: 'interrupt';
  id: string;
  reason?: string;
  payload?: unknown;
}

/** The tokens since the previous event of this type. The sum of all events is the usage of the answer. */
export interface UsageEvent {
  type: 'usage';
  inputTokens?: number;
  outputTokens?: number;
}

/** Anything else that the agent sends as structured data. */
export interface DataEvent {
  type: 'data';
  name?: string;
  value: unknown;
}

/** The answer is complete. This event comes last. */
export interface DoneEvent {
  type: 'done';
  sessionId: string;
  /** The number of chunks. */
  chunks: number;
  /** The number of UTF-8 bytes of the text. */
  bytes: number;
  durationMs: number;
  /** The agent waits for the reply to its question. */
  interrupted?: true;
  /** The answer was stopped by its caller. */
  stopped?: true;
  /** The whole answer. */
  text: string;
}

/** The events between `start` and `done` other than text. Events that only a newer service sends are skipped. */
export type TypedEvent =
  | ReasoningEvent
  | ToolCallEvent
  | ToolInputEvent
  | ToolCallEndEvent
  | ToolResultEvent
  | InterruptEvent
  | UsageEvent
  | DataEvent;

export type AgentEvent = StartEvent | ChunkEvent | TypedEvent | DoneEvent;

const TYPES = ['toolCall', 'toolInput', 'toolCallEnd', 'toolResult', 'interrupt', 'usage', 'data'] as const;

/** Returns the typed event in the data of a server-sent event such as `{"toolCall":{…}}`, if there is one. */
export function typedEvent(data: Record<string, unknown>): TypedEvent | undefined {
  if (typeof data.reasoning === 'string') return { type: 'reasoning', text: data.reasoning };
  for (const type of TYPES) {
    const fields = data[type];
    if (typeof fields === 'object' && fields !== null) return { ...fields, type } as TypedEvent;
  }
  return undefined;
}
