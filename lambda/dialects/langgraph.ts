import type { AnswerEvent } from '../events.ts';
import { isObject, type JsonObject } from '../framing/document.ts';
import { outputOf } from './converse.ts';
import type { Dialect, DialectOptions, DialectReader } from './dialect.ts';
import { readInterrupts } from './interrupts.ts';
import { isMessage, type LangChainMessage, messageOf, readContent } from './langchain-message.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';
import { usageOf } from './usage.ts';

/** The modes by which a stream of several modes names its items, as in `["messages", …]`. */
const MODES = new Set(['messages', 'updates', 'values', 'custom', 'debug', 'tasks', 'checkpoints']);
/** The modes whose items repeat others, or have no content for a reader. */
const SILENT_MODES = new Set(['debug', 'tasks', 'checkpoints']);
/** The names of the events of `astream_events`. */
const EVENT = /^on_(chain|chat_model|llm|tool|retriever|prompt|parser)_(start|stream|end|error)$/;
const INTERRUPT = '__interrupt__';

/**
 * LangGraph for Python and JavaScript: the items of its stream modes, with or without the name of the mode, and the
 * events of `astream_events`. A graph has no mark of its end: the close ends it, unless the input of a tool call is not
 * complete.
 *
 * @see https://docs.langchain.com/oss/python/langgraph/streaming
 */
export const langgraph: Dialect = {
  recognises({ value }) {
    if (Array.isArray(value)) {
      const [first] = value;
      if (isMessage(first)) return value.length === 2 && isObject(value[1]);
      const { mode, item } = itemOf(value);
      return mode === 'messages' ? Array.isArray(item) && isMessage(item[0]) : isState(item);
    }
    if (!isObject(value)) return false;
    if (isMessage(value)) return true;
    if (typeof value.event === 'string') return EVENT.test(value.event) && typeof value.run_id === 'string';
    return isState(value);
  },
  createReader,
};

function createReader(options: DialectOptions): DialectReader {
  const calls = createToolCalls();
  const readUnknown = createUnknownReader(options);
  const asked = new Set<string>();
  /** The ids of messages that have arrived, in pieces or as a whole. */
  const seen = new Set<unknown>();
  /** The ids of the tool calls of one message by their index: only the first piece of a call has the id. */
  let pieces = new Map<unknown, string>();
  /** The id of the message that arrives in pieces now. */
  let streaming: unknown;

  const readPiece = ({ kind, fields }: LangChainMessage): AnswerEvent[] => {
    if (!kind.endsWith('Chunk')) return readWhole({ kind, fields });
    if (kind !== 'AIMessageChunk') return [];
    const events: AnswerEvent[] = [];
    if (streaming !== fields.id) {
      events.push(...calls.endAll());
      pieces = new Map();
      streaming = fields.id;
    }
    seen.add(fields.id ?? undefined);
    events.push(...readContent(fields));
    for (const chunk of blocksOf(fields.tool_call_chunks)) {
      if (typeof chunk.id === 'string' && chunk.id !== '') {
        pieces.set(chunk.index, chunk.id);
        events.push(...calls.start(chunk.id, typeof chunk.name === 'string' ? chunk.name : ''));
      }
      events.push(...calls.input(pieces.get(chunk.index), chunk.args));
    }
    const metadata = isObject(fields.response_metadata) ? fields.response_metadata : {};
    const isLast = ['finish_reason', 'stop_reason', 'stopReason', 'done_reason'].some((key) => metadata[key]);
    if (isLast || fields.chunk_position === 'last') events.push(...calls.endAll());
    return [...events, ...countedBy(fields)];
  };

  const readWhole = ({ kind, fields }: LangChainMessage): AnswerEvent[] => {
    if (kind.startsWith('tool') || kind.startsWith('Tool')) {
      return calls.result(String(fields.tool_call_id), outputOf(fields.content), fields.status === 'error');
    }
    if (kind !== 'ai' && !kind.startsWith('AI')) return [];
    if (seen.has(fields.id ?? undefined)) return calls.endAll();
    seen.add(fields.id ?? undefined);
    return [
      ...readContent(fields),
      ...blocksOf(fields.tool_calls).flatMap(({ id, name, args }) =>
        typeof id === 'string' ? calls.whole(id, String(name ?? ''), args) : [],
      ),
      ...countedBy(fields),
    ];
  };

  /** Reads the state of a graph, or what its nodes have added to it. */
  const readState = (state: JsonObject): AnswerEvent[] => {
    const interrupts = state[INTERRUPT];
    if (interrupts !== undefined) return [...readInterrupts(interrupts, asked), { type: 'end' }];
    // A state holds the whole conversation, and only its last message is new.
    if (Array.isArray(state.messages)) return messagesOf(state.messages.slice(-1)).flatMap(readWhole);
    return Object.values(state)
      .filter(isObject)
      .flatMap(({ messages }) => messagesOf(Array.isArray(messages) ? messages : [messages]))
      .flatMap(readWhole);
  };

  const readItem = (mode: string, item: unknown, raw: string): AnswerEvent[] | undefined => {
    if (mode === 'messages') {
      const message = messageOf(Array.isArray(item) ? item[0] : item);
      return message && readPiece(message);
    }
    if (SILENT_MODES.has(mode)) return [];
    if (mode === 'custom')
      return options.structured === 'drop' ? [] : [{ type: 'data', name: mode, value: item, raw }];
    return isObject(item) ? readState(item) : undefined;
  };

  const readEvent = (name: string, data: unknown): AnswerEvent[] => {
    const { chunk, output } = isObject(data) ? data : {};
    const message = messageOf(name.endsWith('_stream') ? chunk : output);
    if (name === 'on_chat_model_stream') return message ? readPiece(message) : [];
    if (name === 'on_tool_end' || name === 'on_chat_model_end') return message ? readWhole(message) : [];
    return isObject(chunk) && Object.hasOwn(chunk, INTERRUPT) ? readState(chunk) : [];
  };

  return {
    read(document) {
      const { value } = document;
      if (Array.isArray(value)) {
        const { mode, item } = itemOf(value);
        return (
          readItem(mode ?? 'messages', mode === undefined ? value : item, document.text) ??
          readUnknown(document)
        );
      }
      if (!isObject(value)) return readUnknown(document);
      const message = messageOf(value);
      if (message) return readPiece(message);
      if (typeof value.event === 'string' && EVENT.test(value.event))
        return readEvent(value.event, value.data);
      return isState(value) ? readState(value) : readUnknown(document);
    },
    isCompleteOnClose: () => !calls.areOpen,
  };
}

/** Returns mode and item of `[mode, item]`, or of `[namespace, mode, item]` in a stream with subgraphs. */
function itemOf(value: readonly unknown[]): { mode?: string; item?: unknown } {
  const [first, second] = value;
  if (value.length === 2 && MODES.has(first as string)) return { mode: first as string, item: second };
  if (value.length === 3 && Array.isArray(first) && MODES.has(second as string)) {
    return { mode: second as string, item: value[2] };
  }
  // A stream of a single mode with subgraphs sends `[namespace, item]`.
  const isPair =
    value.length === 2 && Array.isArray(first) && first.every((part) => typeof part === 'string');
  if (!isPair) return {};
  return { mode: Array.isArray(second) ? 'messages' : 'updates', item: second };
}

/** Whether a value is a graph's state, or an addition of its nodes. */
function isState(value: unknown): value is JsonObject {
  if (!isObject(value)) return false;
  if (Object.hasOwn(value, INTERRUPT)) return Array.isArray(value[INTERRUPT]);
  if (Array.isArray(value.messages)) return isMessage(value.messages[0]);
  return Object.values(value).some(
    (added) =>
      isObject(added) && isMessage(Array.isArray(added.messages) ? added.messages[0] : added.messages),
  );
}

function messagesOf(values: readonly unknown[]): LangChainMessage[] {
  return values.map(messageOf).filter((message) => message !== undefined);
}

function blocksOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Returns the tokens of a piece or a message. The tokens of a message's pieces add up. */
function countedBy(fields: JsonObject): AnswerEvent[] {
  const usage = usageOf(fields.usage_metadata);
  return usage ? [usage] : [];
}
