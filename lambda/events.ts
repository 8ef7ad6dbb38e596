import type { AgentError } from './errors.ts';

/**
 * An event of an answer, independent of the agent's framework and of the frontend's protocol. Dialects make the events
 * from documents, and protocols write them.
 */
export type AnswerEvent = ContentEvent | EndEvent;

/** A piece of an answer. */
export type ContentEvent =
  | TextEvent
  /** The model's reasoning, which is never part of the answer's text. */
  | { type: 'reasoning'; text: string }
  /** The agent calls a tool. The input follows in pieces, and `toolCallEnd` completes the call. */
  | { type: 'toolCall'; id: string; name: string }
  /** The next piece of a tool's input. The whole input is usually JSON. */
  | { type: 'toolInput'; id: string; delta: string }
  | { type: 'toolCallEnd'; id: string }
  /** The result of a tool: a text, or any other JSON value. */
  | { type: 'toolResult'; id: string; output: unknown; isError: boolean }
  /** The agent asks the user something and ends this answer. The reply to `id` comes with the next prompt. */
  | { type: 'interrupt'; id: string; reason?: string; payload?: unknown }
  | UsageEvent
  | DataEvent;

/** Text of the answer, exactly as the agent sent it. */
export interface TextEvent {
  type: 'text';
  text: string;
}

/** The tokens since the previous event of this type. The sum of all events is the usage of the answer. */
export interface UsageEvent {
  type: 'usage';
  inputTokens?: number;
  outputTokens?: number;
}

/** Any other structured data. */
export interface DataEvent {
  type: 'data';
  /** The agent's name for the data. */
  name?: string;
  value: unknown;
  /** The document as the agent sent it. */
  raw: string;
  /** Whether `raw` is part of the answer's text. The generic dialect passes structured data on in this way. */
  inline?: true;
}

/** The end of an answer. No event follows it. */
export type EndEvent =
  | { type: 'end' }
  /** The agent reports that it failed. */
  | { type: 'failure'; agentError: AgentError }
  /** The agent's bytes cannot be read. */
  | { type: 'malformed'; problem: string };

export function isEnd(event: AnswerEvent): event is EndEvent {
  return event.type === 'end' || event.type === 'failure' || event.type === 'malformed';
}

/** The tokens of a whole answer. */
export type Usage = Omit<UsageEvent, 'type'>;
