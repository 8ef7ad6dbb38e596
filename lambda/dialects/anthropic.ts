import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { createConverseReader, isConverseEvent, readBlocks } from './converse.ts';
import type { Dialect, DialectOptions, DialectReader } from './dialect.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';
import { createUsageMeter } from './usage-meter.ts';

/** The stop reasons of a message that another message follows. */
const GOES_ON = new Set(['tool_use', 'pause_turn']);

/**
 * Anthropic's Messages API, and Bedrock's Converse stream, which most Claude agents on AWS use. An answer ends with the
 * `message_stop` (in Converse the `metadata`) of a message that waits for no tool.
 *
 * @see https://docs.claude.com/en/docs/build-with-claude/streaming
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
 */
export const anthropic: Dialect = {
  recognises({ value }) {
    if (!isObject(value)) return false;
    const { type, message, index, delta, content_block: block } = value;
    if (type === 'message_start') return isObject(message) && message.type === 'message';
    if (type === 'content_block_start') return typeof index === 'number' && isObject(block);
    if (type === 'content_block_delta') {
      return typeof index === 'number' && isObject(delta) && typeof delta.type === 'string';
    }
    return isConverseEvent(value);
  },
  createReader,
};

function createReader(options: DialectOptions): DialectReader {
  const calls = createToolCalls();
  const converse = createConverseReader(calls);
  const meter = createUsageMeter();
  const readUnknown = createUnknownReader(options);
  /** The ids of the tool calls by the index of their block. */
  let blocks = new Map<unknown, string>();
  let isOpen = false;
  let goesOn = false;

  const readStart = ({ index, content_block: block }: JsonObject): AnswerEvent[] | undefined => {
    if (!isObject(block) || typeof block.type !== 'string') return undefined;
    const { type, id, name, text } = block;
    if (type.endsWith('tool_use') && typeof id === 'string') {
      blocks.set(index, id);
      return calls.start(id, typeof name === 'string' ? name : '');
    }
    if (type.endsWith('tool_result')) return readResult(block);
    if (type === 'text') return typeof text === 'string' && text !== '' ? [{ type, text }] : [];
    return type === 'thinking' || type === 'redacted_thinking' ? [] : undefined;
  };

  /** Reads the result of a tool that the service ran, or that the agent ran and reports to the model. */
  const readResult = (block: JsonObject): AnswerEvent[] | undefined => {
    const { tool_use_id: id, content } = block;
    if (typeof id !== 'string') return undefined;
    const isFailed = isObject(content) && String(content.type).endsWith('_error');
    return calls.result(id, outputOf(content), block.is_error === true || isFailed);
  };

  const readDelta = ({ index, delta }: JsonObject): AnswerEvent[] | undefined => {
    if (!isObject(delta)) return undefined;
    const { type, text, thinking } = delta;
    if (type === 'text_delta' && typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }];
    if (type === 'thinking_delta' && typeof thinking === 'string') {
      return thinking === '' ? [] : [{ type: 'reasoning', text: thinking }];
    }
    if (type === 'input_json_delta') return calls.input(blocks.get(index), delta.partial_json);
    return type === 'signature_delta' ? [] : undefined;
  };

  const readMessages = (type: unknown, value: JsonObject): AnswerEvent[] | undefined => {
    switch (type) {
      case 'message_start':
        isOpen = true;
        blocks = new Map();
        meter.reset();
        return meter.count(isObject(value.message) ? value.message.usage : undefined);
      case 'content_block_start':
        return readStart(value);
      case 'content_block_delta':
        return readDelta(value);
      case 'content_block_stop':
        return calls.end(blocks.get(value.index));
      case 'message_delta':
        goesOn = isObject(value.delta) && GOES_ON.has(value.delta.stop_reason as string);
        return meter.count(value.usage);
      case 'message_stop':
        isOpen = goesOn;
        return goesOn ? calls.endAll() : [...calls.endAll(), { type: 'end' }];
      case 'tool_result':
        return readResult(value);
      case 'ping':
        return [];
      default:
        return undefined;
    }
  };

  const readConverse = (value: JsonObject, document: Document): AnswerEvent[] | undefined => {
    if (Array.isArray(value.content)) return readBlocks(value.content, calls, false);
    const events = converse.read(value, document);
    const isLast = isObject(value.metadata) && !converse.isOpen;
    return events && isLast ? [...events, { type: 'end' }] : events;
  };

  return {
    read(document) {
      const { value } = document;
      if (!isObject(value)) return readUnknown(document);
      const { type } = value;
      const events = typeof type === 'string' ? readMessages(type, value) : readConverse(value, document);
      return events ?? readUnknown(document);
    },
    isCompleteOnClose: () => !isOpen && !converse.isOpen && !calls.areOpen,
  };
}

/** Returns a result that consists only of text as one text, and any other result as it is. */
function outputOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content ?? null;
  const isText = content.every((block) => isObject(block) && block.type === 'text');
  return isText ? content.map(({ text }) => text).join('') : content;
}
