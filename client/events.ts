/** The service has taken the request on. It comes first, with the first text or after a long silence. */
export interface StartEvent {
  type: 'start';
  sessionId: string;
  agentId: string;
  requestId: string;
  /** The session id of the request was not valid: `sessionId` took its place, and the agent remembers nothing. */
  sessionReplaced?: true;
}

/** Text exactly as the agent sent it; to be appended. */
export interface ChunkEvent {
  type: 'chunk';
  text: string;
}

/** What the model thinks before it answers; to be appended apart from the text. */
export interface ReasoningEvent {
  type: 'reasoning';
  text: string;
}

/** The agent calls a tool; its input follows in pieces. */
export interface ToolCallEvent {
  type: 'toolCall';
  /** The same in every event of this call. */
  id: string;
  name: string;
}

/** The next piece of a tool's input, which is JSON as a rule. */
export interface ToolInputEvent {
  type: 'toolInput';
  id: string;
  delta: string;
}

/** The input of a tool is whole. */
export interface ToolCallEndEvent {
  type: 'toolCallEnd';
  id: string;
}

/** What a tool returned: a text, or any other JSON value. */
export interface ToolResultEvent {
  type: 'toolResult';
  id: string;
  output: unknown;
  isError: boolean;
}

/** The agent asks something and ends this answer. The reply goes into `payload` of the next prompt of the session. */
export interface InterruptEvent {
  type: 'interrupt';
  id: string;
  reason?: string;
  payload?: unknown;
}

/** Tokens since the last of these events; they add up over an answer. */
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

/** The answer is complete. It comes last. */
export interface DoneEvent {
  type: 'done';
  sessionId: string;
  /** How many chunks there were. */
  chunks: number;
  /** UTF-8 bytes of the text. */
  bytes: number;
  durationMs: number;
  /** The agent waits for the reply to its question. */
  interrupted?: true;
  /** The answer was stopped by its caller. */
  stopped?: true;
  /** The whole answer. */
  text: string;
}

/** What comes between `start` and `done` beside text. A newer service may send others, which are left out. */
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

/** The typed event that the data of a server-sent event is, if any: `{"toolCall":{…}}`. */
export function typedEvent(data: Record<string, unknown>): TypedEvent | undefined {
  if (typeof data.reasoning === 'string') return { type: 'reasoning', text: data.reasoning };
  for (const type of TYPES) {
    const fields = data[type];
    if (typeof fields === 'object' && fields !== null) return { ...fields, type } as TypedEvent;
  }
  return undefined;
}
