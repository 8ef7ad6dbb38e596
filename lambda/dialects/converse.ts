import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { textOfBlocks } from './content-blocks.ts';
import { failureOf } from './failure.ts';
import type { ToolCalls } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/** The members of Bedrock's Converse stream that make up a message or a content block. */
const STREAM_KEYS = new Set([
  'messageStart',
  'contentBlockStart',
  'contentBlockDelta',
  'contentBlockStop',
  'messageStop',
]);
/** The stop reasons of a message after which the answer goes on once a tool has returned. */
const TOOL_STOPS = new Set(['tool_use', 'toolUse']);

/**
 * Reads the stream of Bedrock's Converse, also as Strands passes it on.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
 */
export interface ConverseReader {
  /** Returns the events of one member of the stream; undefined for an unknown member. */
  read(event: JsonObject, document: Document): AnswerEvent[] | undefined;
  /** Returns the events of the `delta` of a content block. A tool's input belongs to the call with the given id. */
  readDelta(delta: JsonObject, callId?: string): AnswerEvent[] | undefined;
  /** Whether a message has begun and not ended, or waits for its tools. */
  isOpen: boolean;
}

/** Whether an object has one member of the stream as its only key. */
export function isConverseEvent(value: JsonObject): boolean {
  const [key, ...others] = Object.keys(value);
  return key !== undefined && others.length === 0 && STREAM_KEYS.has(key) && isObject(value[key]);
}

export function createConverseReader(calls: ToolCalls): ConverseReader {
  /** The ids of the tool calls by the index of their block. Some models leave the index out. */
  let blocks = new Map<unknown, string>();

  const readDelta = (delta: JsonObject, callId?: string): AnswerEvent[] | undefined => {
    if (typeof delta.text === 'string') return delta.text === '' ? [] : [{ type: 'text', text: delta.text }];
    if (isObject(delta.toolUse)) return calls.input(callId, delta.toolUse.input);
    if (!isObject(delta.reasoningContent)) return undefined;
    const { text } = delta.reasoningContent;
    // Signatures and redacted parts are only for the model.
    return typeof text === 'string' && text !== '' ? [{ type: 'reasoning', text }] : [];
  };

  const reader: ConverseReader = {
    isOpen: false,
    readDelta,
    read(event, document) {
      if (isObject(event.messageStart)) {
        reader.isOpen = true;
        blocks = new Map();
        return [];
      }
      if (isObject(event.contentBlockDelta)) {
        const { delta, contentBlockIndex } = event.contentBlockDelta;
        return isObject(delta) ? readDelta(delta, blocks.get(contentBlockIndex)) : undefined;
      }
      if (isObject(event.contentBlockStart)) {
        const { start, contentBlockIndex } = event.contentBlockStart;
        if (!isObject(start) || Object.keys(start).length === 0) return [];
        if (!isObject(start.toolUse)) return undefined;
        const { toolUseId, name } = start.toolUse;
        if (typeof toolUseId !== 'string' || typeof name !== 'string') return undefined;
        blocks.set(contentBlockIndex, toolUseId);
        return calls.start(toolUseId, name);
      }
      if (isObject(event.contentBlockStop)) {
        const { contentBlockIndex } = event.contentBlockStop;
        const id = blocks.get(contentBlockIndex);
        blocks.delete(contentBlockIndex);
        return calls.end(id);
      }
      if (isObject(event.messageStop)) {
        reader.isOpen = TOOL_STOPS.has(event.messageStop.stopReason as string);
        return calls.endAll();
      }
      if (isObject(event.metadata)) {
        const usage = usageOf(event.metadata.usage);
        return usage ? [usage] : [];
      }
      const exception = Object.keys(event).find((key) => key.endsWith('Exception'));
      if (exception === undefined) return undefined;
      return [failureOf({ error_type: exception, ...(event[exception] as object) }, document.text)];
    },
  };
  return reader;
}

/** Returns the events of a message's whole blocks. Unless they are new, only tool results are read. */
export function readBlocks(blocks: readonly unknown[], calls: ToolCalls, areNew: boolean): AnswerEvent[] {
  return blocks.filter(isObject).flatMap((block): AnswerEvent[] => {
    const { toolResult, toolUse, text, reasoning, reasoningContent } = block;
    if (isObject(toolResult) && typeof toolResult.toolUseId === 'string') {
      return calls.result(toolResult.toolUseId, outputOf(toolResult.content), toolResult.status === 'error');
    }
    if (!areNew) return [];
    if (isObject(toolUse) && typeof toolUse.toolUseId === 'string' && typeof toolUse.name === 'string') {
      return calls.whole(toolUse.toolUseId, toolUse.name, toolUse.input);
    }
    if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }];
    const thought = isObject(reasoningContent) ? reasoningContent.reasoningText : reasoning;
    return isObject(thought) && typeof thought.text === 'string' && thought.text !== ''
      ? [{ type: 'reasoning', text: thought.text }]
      : [];
  });
}

/** Returns the output of a tool: the text of text blocks, the value of a single JSON block, otherwise the blocks. */
export function outputOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content ?? null;
  const [first] = content;
  if (content.length === 1 && isObject(first) && Object.hasOwn(first, 'json')) return first.json;
  const isText = content.every((block) => isObject(block) && typeof block.text === 'string');
  return isText ? (textOfBlocks(content) ?? '') : content;
}
