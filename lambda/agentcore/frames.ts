import { createParser } from 'eventsource-parser';
import type { AgentEntry } from '../agents.ts';
import type { AgentError } from '../errors.ts';
import { type Utf8Piece, Utf8Reader } from '../framing/utf8.ts';
import { boundedAgentError, textOfUnknownError } from './agent-error.ts';

/** What a message of an agent holds: text for the caller, the end of the answer, or a failure. */
export type Item =
  | { type: 'chunk'; text: string }
  | { type: 'end' }
  | { type: 'failure'; agentError: AgentError }
  | { type: 'malformed'; problem: string };

export type DecoderOptions = Pick<AgentEntry, 'framing' | 'endMarker' | 'textPath' | 'structured'> & {
  /** The bytes are one SSE body cut anywhere (/invocations), not messages. */
  body?: boolean;
  /** Limit for an SSE event that spans messages, in characters. */
  maxEventLength?: number;
};

/** Reads the messages of one exchange. `decode` never throws, whatever the bytes. */
export interface Decoder {
  decode(bytes: Buffer, isBinary: boolean): Item[];
  /** To be called when the agent's messages have ended: what was still held back. */
  flush(): Item[];
}

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
const DONE = '[DONE]';
const NOT_UTF8 = 'the agent sent bytes that are not UTF-8';

type JsonObject = Record<string, unknown>;

/** The decoder of one exchange; the framing is decided once, by the agent's entry or by the first message. */
export function createDecoder(options: DecoderOptions): Decoder {
  let utf8: Utf8Reader | undefined;
  let reader = options.framing === 'auto' ? undefined : readerOf(options.framing, options);

  const read = (text: string): Item[] => {
    if (text === '') return [];
    reader ??= readerOf(detectFraming(text), options);
    return reader.read(text);
  };
  const readPiece = ({ text, isValid }: Utf8Piece): Item[] =>
    isValid ? read(text) : [...read(text), { type: 'malformed', problem: NOT_UTF8 }];

  return {
    decode(bytes, isBinary) {
      // A text message is valid, which the WebSocket has seen to; within a character it may not stand, though.
      if (!isBinary && utf8 === undefined) return read(bytes.toString());
      utf8 ??= new Utf8Reader();
      return readPiece(utf8.read(bytes));
    },
    // An SSE event still open is completed, as if its blank line had come.
    flush: () => [...(utf8 ? readPiece(utf8.end()) : []), ...(reader?.flush?.() ?? [])],
  };
}

function detectFraming(first: string): 'text' | 'sse' | 'json' {
  if (/^(data|event|id|retry):/.test(first)) return 'sse';
  const value = parseJson(first);
  return typeof value === 'string' || isObject(value) ? 'json' : 'text';
}

interface Reader {
  read(text: string): Item[];
  flush?(): Item[];
}

function readerOf(framing: 'text' | 'sse' | 'json', options: DecoderOptions): Reader {
  if (framing === 'json') return { read: (text) => readJson(text, options) };
  if (framing === 'sse') return sseReader(options);
  return { read: (text) => (text === DONE ? [{ type: 'end' }] : chunk(text)) };
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
function sseReader(options: DecoderOptions): Reader {
  let items: Item[] = [];
  let overflown = false;
  const parser = createParser({
    ...(options.maxEventLength !== undefined && { maxBufferSize: options.maxEventLength }),
    onEvent({ event, data }) {
      const type = event?.toLowerCase();
      if (type === 'error') items.push(failureOf(parseJson(data), data));
      else items.push(...readJson(data, options, type === 'done' || type === 'complete' || type === 'end'));
    },
    onError({ type }) {
      overflown = type === 'max-buffer-size-exceeded';
      if (overflown)
        items.push({ type: 'malformed', problem: 'the agent sent an event over the size limit' });
    },
  });
  let spansMessages = options.body;
  const feed = (text: string): Item[] => {
    items = [];
    if (!overflown) parser.feed(text);
    return items;
  };
  return {
    read(text) {
      // Two line ends; CRLF is one.
      spansMessages ??= /(?:\r\n|\r(?!\n)|(?<!\r)\n){2}$/.test(text);
      return feed(spansMessages ? text : `${text}\n\n`);
    },
    flush: () => feed('\n\n'),
  };
}

/**
 * One message of the `json` framing, or the data of one SSE event; the rules in their order.
 *
 * @param isLast whether its SSE event has said that it is the end
 */
function readJson(
  message: string,
  { endMarker, textPath, structured }: DecoderOptions,
  isLast = false,
): Item[] {
  const end: Item[] = isLast ? [{ type: 'end' }] : [];
  if (message.trim() === DONE) return [{ type: 'end' }];
  const value = parseJson(message);
  if (typeof value === 'string') return [...chunk(value), ...end];
  if (!isObject(value)) {
    return Array.isArray(value) && structured === 'drop' ? end : [...chunk(message), ...end];
  }
  const typeField = value.type ?? value.event;
  const type = typeof typeField === 'string' ? typeField.toLowerCase() : undefined;

  const isEndMessage = isEnd(value, type, endMarker);
  if (!isEndMessage && isFailure(value)) return [failureOf(value, message)];
  if (isEndMessage || isLast) {
    const last = textPath === undefined ? anyText(value) : textAt(value, textPath);
    return [...chunk(last ?? ''), { type: 'end' }];
  }
  const text = textPath === undefined ? onlyText(value) : textAt(value, textPath);
  if (text !== undefined) return chunk(text);
  return structured === 'drop' ? [] : chunk(message);
}

function chunk(text: string): Item[] {
  return text === '' ? [] : [{ type: 'chunk', text }];
}

function isEnd(value: JsonObject, type: string | undefined, endMarker: string | undefined): boolean {
  if (type !== undefined) {
    if (type === endMarker?.toLowerCase()) return true;
    // A tool is called: the answer goes on after it.
    if (type === 'bidi_response_complete' && value.stop_reason === 'tool_use') return false;
    if (END_TYPES.has(type)) return true;
  }
  return value.done === true && keysBeyond(value, 'done').every((key) => TEXT_KEYS.includes(key));
}

function isFailure(value: JsonObject): boolean {
  if (typeof value.type === 'string' && FAILURE_TYPES.has(value.type.toLowerCase())) return true;
  return !isEmpty(value.error) && keysBeyond(value).every((key) => FAILURE_KEYS.has(key));
}

function keysBeyond(value: JsonObject, ...allowed: string[]): string[] {
  return Object.keys(value).filter((key) => !ENVELOPE_KEYS.has(key) && !allowed.includes(key));
}

/** The string of the one text key, if no other key is left beyond the envelope. */
function onlyText(value: JsonObject): string | undefined {
  const [key, ...others] = keysBeyond(value);
  return key === undefined || others.length > 0 ? undefined : textOf(value, key);
}

/** The string of the first text key, whatever else the object holds: an end message says nothing twice. */
function anyText(value: JsonObject): string | undefined {
  for (const key of TEXT_KEYS) {
    const text = Object.hasOwn(value, key) ? textOf(value, key) : undefined;
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

function textAt(value: JsonObject, path: string): string | undefined {
  let found: unknown = value;
  for (const key of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as JsonObject)[key];
  }
  return typeof found === 'string' ? found : undefined;
}

/** The agent's own words, wherever agents put them. */
function failureOf(value: unknown, raw: string): Item {
  const outer = isObject(value) ? value : {};
  const inner = isObject(outer.error) ? outer.error : {};
  const pick = (...candidates: unknown[]) =>
    candidates.find((candidate) => typeof candidate === 'string' && candidate !== '') as string | undefined;
  const type = pick(outer.error_type, inner.type, inner.name, outer.type);
  const code = [outer.error_code, outer.code, inner.code, outer.status].find(
    (candidate): candidate is string | number =>
      typeof candidate === 'string' || typeof candidate === 'number',
  );
  const message =
    pick(inner.message, outer.error, outer.message, outer.details, value) ??
    (value === undefined ? raw : textOfUnknownError(value));
  return { type: 'failure', agentError: boundedAgentError({ type, code, message }) };
}

function parseJson(text: string): unknown {
  // Most chunks are plain text; JSON.parse would throw for each, which is dear.
  if (!/^\s*["{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}
