import type { AnswerEvent } from '../events.ts';
import { isObject, type JsonObject } from '../framing/document.ts';

/** A message of LangChain, in any of its serialized forms. */
export interface LangChainMessage {
  /** `AIMessageChunk`, `AIMessage` or `ai`, `ToolMessage` or `tool`, … */
  kind: string;
  fields: JsonObject;
}

/**
 * Reads a message, if a value is one: in the form of `model_dump` (`{type: "AIMessageChunk", content}`), of
 * `message_to_dict` (`{type: "ai", data: {content}}`), or of `dumps` and JavaScript's `toJSON`
 * (`{lc: 1, id: [..., "AIMessageChunk"], kwargs: {content}}`).
 */
export function messageOf(value: unknown): LangChainMessage | undefined {
  if (!isObject(value)) return undefined;
  const { type, lc, id, kwargs } = value;
  if (lc === 1 && Array.isArray(id) && isObject(kwargs)) {
    const kind: unknown = id.at(-1);
    return typeof kind === 'string' && /Message(Chunk)?$/.test(kind) ? { kind, fields: kwargs } : undefined;
  }
  if (typeof type !== 'string') return undefined;
  const fields = isObject(value.data) && Object.hasOwn(value.data, 'content') ? value.data : value;
  return isOf(type, fields) ? { kind: type, fields } : undefined;
}

export function isMessage(value: unknown): boolean {
  return messageOf(value) !== undefined;
}

/** Whether the fields are those that only a LangChain message of the type has. */
function isOf(type: string, fields: JsonObject): boolean {
  if (!Object.hasOwn(fields, 'content')) return false;
  if (/^(AI|Human|System|Tool)MessageChunk$/.test(type)) return true;
  if (type === 'tool') return typeof fields.tool_call_id === 'string';
  return (type === 'ai' || type === 'human' || type === 'system') && isObject(fields.response_metadata);
}

/** Reads text and reasoning of a message. Its content is a string or a list of blocks, and one stream may mix both. */
export function readContent({ content, additional_kwargs: more }: JsonObject): AnswerEvent[] {
  const thought = isObject(more) ? more.reasoning_content : undefined;
  const events =
    typeof thought === 'string' && thought !== '' ? [{ type: 'reasoning' as const, text: thought }] : [];
  if (typeof content === 'string')
    return content === '' ? events : [...events, { type: 'text', text: content }];
  return Array.isArray(content) ? [...events, ...content.flatMap(readBlock)] : events;
}

function readBlock(block: unknown): AnswerEvent[] {
  if (typeof block === 'string') return block === '' ? [] : [{ type: 'text', text: block }];
  if (!isObject(block)) return [];
  const { text, thinking, reasoning, reasoning_content: bedrock, summary } = block;
  if (typeof text === 'string' && (block.type === 'text' || block.type === 'text_delta')) {
    return text === '' ? [] : [{ type: 'text', text }];
  }
  const parts = Array.isArray(summary) ? summary : [bedrock];
  const thoughts = [thinking, reasoning, ...parts.map((part) => (isObject(part) ? part.text : undefined))];
  return thoughts
    .filter((thought): thought is string => typeof thought === 'string' && thought !== '')
    .map((thought) => ({ type: 'reasoning', text: thought }));
}
