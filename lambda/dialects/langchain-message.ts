import type { AnswerEvent } from '../events.ts';
import { isObject, type JsonObject } from '../framing/document.ts';

/** A message of LangChain, whatever it was written by. */
export interface LangChainMessage {
  /** `AIMessageChunk`, `AIMessage` or `ai`, `ToolMessage` or `tool`, … */
  kind: string;
  fields: JsonObject;
}

/**
 * The message that a value is, if it is one: as `model_dump` writes it (`{type: "AIMessageChunk", content}`), as
 * `message_to_dict` does (`{type: "ai", data: {content}}`), or as `dumps` and JavaScript's `toJSON` do
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

/** What only a message of LangChain of that type has. */
function isOf(type: string, fields: JsonObject): boolean {
  if (!Object.hasOwn(fields, 'content')) return false;
  if (/^(AI|Human|System|Tool)MessageChunk$/.test(type)) return true;
  if (type === 'tool') return typeof fields.tool_call_id === 'string';
  return (type === 'ai' || type === 'human' || type === 'system') && isObject(fields.response_metadata);
}

/** Text and thoughts of a message: its content is a string or a list of blocks, in one stream now this, now that. */
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
