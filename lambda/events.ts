import type { AgentError } from './errors.ts';

/**
 * What an agent's answer consists of, whatever the agent speaks and whatever the frontend understands: dialects make
 * these of documents, protocols write them. A leaf without logic.
 */
export type AnswerEvent = ContentEvent | EndEvent;

/** A piece of an answer. */
export type ContentEvent =
  | TextEvent
  /** What the model thinks before it answers; never part of the answer's text. */
  | { type: 'reasoning'; text: string }
  /** A tool is called; its input follows in pieces, and the call is whole with `toolCallEnd`. */
  | { type: 'toolCall'; id: string; name: string }
  /** The next piece of a tool's input, of JSON as a rule. */
  | { type: 'toolInput'; id: string; delta: string }
  | { type: 'toolCallEnd'; id: string }
  /** What a tool returned: a text, or any other JSON value. */
  | { type: 'toolResult'; id: string; output: unknown; isError: boolean }
  /** The agent asks the user something and ends this answer; the reply to `id` comes with the next prompt. */
  | { type: 'interrupt'; id: string; reason?: string; payload?: unknown }
  | UsageEvent
  | DataEvent;

/** Text of the answer, exactly as the agent sent it. */
export interface TextEvent {
  type: 'text';
  text: string;
}

/** Tokens since the last of these events; they add up over an answer. */
export interface UsageEvent {
  type: 'usage';
  inputTokens?: number;
  outputTokens?: number;
}

/** Anything else that is structured. */
export interface DataEvent {
  type: 'data';
  /** What the agent calls it. */
  name?: string;
  value: unknown;
  /** The document as the agent sent it. */
  raw: string;
  /** A reader of text finds `raw` in the answer: so the generic dialect has always passed structured data on. */
  inline?: true;
}

/** The end of an answer; nothing follows it. */
export type EndEvent =
  | { type: 'end' }
  /** The agent says that it failed. */
  | { type: 'failure'; agentError: AgentError }
  /** What came cannot be read. */
  | { type: 'malformed'; problem: string };

export function isEnd(event: AnswerEvent): event is EndEvent {
  return event.type === 'end' || event.type === 'failure' || event.type === 'malformed';
}

/** Tokens of a whole answer. */
export type Usage = Omit<UsageEvent, 'type'>;
