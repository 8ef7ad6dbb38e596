import { END_MARK } from '../end-mark.ts';
import type { AnswerEvent, DataEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { textOfBlocks } from './content-blocks.ts';
import type { Dialect, DialectOptions } from './dialect.ts';
import { failureOf } from './failure.ts';
import { usageOf } from './usage.ts';

const END_TYPES = new Set([
  'done',
  'complete',
  'completed',
  'end',
  'stream_complete',
  'run_finished',
  'run_completed',
  'bidi_response_complete',
]);
/** The names of server-sent events that end an answer, with any data. */
const END_EVENTS = new Set(['done', 'complete', 'end']);
const FAILURE_TYPES = new Set(['error', 'run_error', 'run_failed', 'stream_error', 'bidi_error']);
const FAILURE_KEYS = new Set(['error', 'error_type', 'error_code', 'code', 'message', 'details', 'status']);
const TEXT_KEYS: readonly string[] = ['chunk', 'text', 'content', 'delta', 'data'];
const ENVELOPE_KEYS = new Set([
  'type',
  'event',
  'id',
  'index',
  'role',
  'sequence',
  'timestamp',
  'session_id',
  'sessionId',
  'message_id',
  'messageId',
  'threadId',
  'runId',
  'parentMessageId',
]);
/** Words in the `type` of documents that hold no text of the answer. */
const ASIDE_WORDS = new Set(['tool', 'tools', 'step', 'status', 'usage', 'metadata', 'source', 'sources']);
/** Words in the `type` of documents that hold the model's reasoning. */
const THOUGHT_WORDS = new Set(['reasoning', 'thinking', 'thought']);
const ASIDE = new RegExp([...ASIDE_WORDS, ...THOUGHT_WORDS].join('|'), 'i');
/** Keys that name a part of the answer: `done` beside one of them ends only that part. */
const PART_KEYS = new Set(['step', 'tool', 'task', 'phase']);
const END: AnswerEvent = { type: 'end' };

/** The dialect of agents without a known framework. It applies the rules of `docs/agents.md` in their order. */
export const generic: Dialect = {
  recognises: () => false,
  createReader: (options) => ({
    read: (document) => read(document, options),
    isCompleteOnClose: () => true,
  }),
};

function read(document: Document, options: DialectOptions): AnswerEvent[] {
  const { text: raw, value, event } = document;
  const { ends } = options;
  if (raw.length < 20 && ends === undefined && raw.trim() === END_MARK) return [END];
  if (event === 'error') return [failureOf(value, raw)];
  const endsHere = event !== undefined && ends === undefined && END_EVENTS.has(event);
  if (isObject(value)) return readObject(document, value, endsHere, options);
  const events = readValue(document, options);
  return endsHere ? [...events, END] : events;
}

/** Reads a document that is no object: a JSON string, an array, or no JSON at all. */
function readValue(document: Document, { textPath, structured, onLeftOut }: DialectOptions): AnswerEvent[] {
  const { text: raw, value } = document;
  if (Array.isArray(value)) return dataEvents(document, structured);
  if (typeof value !== 'string') return textEvents(raw);
  if (textPath === undefined) return textEvents(value);
  // When text has its own path, a bare string is the repr of an event that could not be made JSON.
  onLeftOut(value.length);
  return [];
}

function readObject(
  document: Document,
  value: JsonObject,
  endsHere: boolean,
  options: DialectOptions,
): AnswerEvent[] {
  const { textPath, structured } = options;
  if (isFailure(value)) return [failureOf(value, document.text)];
  const text = textPath === undefined ? undefined : textAt(value, textPath);
  if (endsHere || isEnd(value, text, options)) {
    const usage = usageOf(value.usage);
    const tokens = usage ? [usage] : [];
    const last = textPath === undefined ? anyText(value) : text;
    if (last !== undefined) return [...textEvents(last), ...tokens, END];
    return [...(holdsStructure(value) ? dataEvents(document, structured) : []), ...tokens, END];
  }
  const own = textPath === undefined ? onlyText(value) : text;
  const kind = asideOf(value.type ?? value.event);
  if (kind === 'thought' && own !== undefined) return own === '' ? [] : [{ type: 'reasoning', text: own }];
  if (kind === 'thought' || (kind === 'other' && textPath === undefined)) {
    return asideEvents(document, structured);
  }
  return own === undefined ? dataEvents(document, structured) : textEvents(own);
}

function textEvents(text: string): AnswerEvent[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

/** Makes the event of structured data. With `pass` it is shown in the text, exactly as the agent sent it. */
function dataEvents(document: Document, structured: DialectOptions['structured']): AnswerEvent[] {
  if (structured === 'drop') return [];
  return [{ ...dataOf(document), ...(structured === 'pass' && { inline: true }) }];
}

/** Makes the event of a document whose type says that it is no text. */
function asideEvents(document: Document, structured: DialectOptions['structured']): AnswerEvent[] {
  const usage = isObject(document.value)
    ? (usageOf(document.value.usage) ?? usageOf(document.value))
    : undefined;
  if (usage) return [usage];
  return structured === 'drop' ? [] : [dataOf(document)];
}

/** Turns a document into structured data under the agent's own name for it. */
export function dataOf({ text, value }: Document): DataEvent {
  const name = isObject(value) ? (value.type ?? value.event) : undefined;
  return { type: 'data', ...(typeof name === 'string' && { name }), value, raw: text };
}

/**
 * Tells from the type of a document whether it holds reasoning or something else than text. `toolUse`, `tool-use` and
 * `TOOL_USE` count as equal.
 */
function asideOf(type: unknown): 'thought' | 'other' | undefined {
  // Most types name text, so this test avoids splitting them into words.
  if (typeof type !== 'string' || !ASIDE.test(type)) return undefined;
  const words = type
    .replace(/([a-z])(?=[A-Z])/g, '$1 ')
    .toLowerCase()
    .split(/[^a-z]/);
  if (words.some((word) => THOUGHT_WORDS.has(word))) return 'thought';
  return words.some((word) => ASIDE_WORDS.has(word)) ? 'other' : undefined;
}

function isEnd(
  value: JsonObject,
  textFound: string | undefined,
  { endMarker, ends }: DialectOptions,
): boolean {
  const typeField = value.type ?? value.event;
  const type = typeof typeField === 'string' ? typeField.toLowerCase() : undefined;
  if (ends === 'close') return false;
  if (type !== undefined && type === endMarker?.toLowerCase()) return true;
  if (ends === 'marker') return false;
  if (type !== undefined) {
    // The response calls a tool, and the answer goes on after it.
    if (type === 'bidi_response_complete' && value.stop_reason === 'tool_use') return false;
    if (END_TYPES.has(type)) return true;
  }
  if (value.done !== true) return false;
  if (textFound !== undefined) return true;
  return keysBeyond(value).every(
    (key) => TEXT_KEYS.includes(key) || !(PART_KEYS.has(key) || holdsText(value[key])),
  );
}

/** Whether a value holds any text. `{"done":true,"name":"validate"}` ends something other than the answer. */
function holdsText(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  return Object.values(value ?? {}).some(holdsText);
}

function isFailure(value: JsonObject): boolean {
  if (isFailureType(value.type) || isFailureType(value.event)) return true;
  if (value.error === undefined) return false;
  const saysError = !isEmpty(value.error) || value.error_type !== undefined;
  return saysError && keysBeyond(value, 'done').every((key) => FAILURE_KEYS.has(key));
}

function isFailureType(type: unknown): boolean {
  return typeof type === 'string' && FAILURE_TYPES.has(type.toLowerCase());
}

function keysBeyond(value: JsonObject, ...allowed: string[]): string[] {
  return Object.keys(value).filter((key) => !ENVELOPE_KEYS.has(key) && !allowed.includes(key));
}

/** Whether an end message holds a structured result. Its usage and its metadata are not one. */
function holdsStructure(value: JsonObject): boolean {
  return keysBeyond(value, 'usage', 'metadata').some(
    (key) => typeof value[key] === 'object' && !isEmpty(value[key]),
  );
}

/** Returns the string of a text key if the object has no further key apart from those of the envelope. */
function onlyText(value: JsonObject): string | undefined {
  let only: string | undefined;
  for (const key of Object.keys(value)) {
    if (ENVELOPE_KEYS.has(key)) continue;
    if (only !== undefined) return undefined;
    only = key;
  }
  return only === undefined ? undefined : textOf(value, only);
}

/** Returns the string of the first text key, whatever other keys there are: an end message does not repeat text. */
function anyText(value: JsonObject): string | undefined {
  for (const key of TEXT_KEYS) {
    const text = textOf(value, key);
    if (text !== undefined) return text;
  }
  return undefined;
}

function textOf(value: JsonObject, key: string): string | undefined {
  if (!TEXT_KEYS.includes(key)) return undefined;
  const found = value[key];
  if (typeof found === 'string') return found;
  if (key !== 'delta' || !isObject(found)) return undefined;
  const keys = keysBeyond(found);
  return keys.length === 1 && typeof found.text === 'string' ? found.text : undefined;
}

function textAt(value: JsonObject, paths: string | readonly string[]): string | undefined {
  for (const path of typeof paths === 'string' ? [paths] : paths) {
    const text = textAtPath(value, path);
    if (text !== undefined) return text;
  }
  return undefined;
}

function textAtPath(value: JsonObject, path: string): string | undefined {
  let found: unknown = value;
  for (const key of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as JsonObject)[key];
  }
  if (typeof found === 'string') return found;
  return Array.isArray(found) ? textOfBlocks(found) : undefined;
}

function isEmpty(value: unknown): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}
