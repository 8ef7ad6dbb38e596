import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { isConverseEvent, readBlocks } from './converse.ts';
import { failureOf } from './failure.ts';
import type { StrandsState } from './strands-state.ts';

/** Keys of events that only say that the agent's loop begins another turn. */
const LOOP_STARTS = ['init_event_loop', 'start_event_loop'];
/** The keys that name the kind of a message's block in Bedrock's form, which has no `type`. */
const BLOCK_KEYS = ['text', 'toolUse', 'toolResult', 'reasoningContent', 'reasoning'];

/** Whether only Strands for Python sends such an object. */
export function isPythonEvent(value: JsonObject): boolean {
  const { type, event, delta, data, message } = value;
  if (typeof type === 'string') return type.startsWith('multiagent_node_');
  if (isObject(event)) return isConverseEvent(event);
  if (isObject(delta)) return typeof data === 'string' && delta.text === data;
  return LOOP_STARTS.some((key) => value[key] === true) || isMessage(message);
}

/**
 * Reads an object that `stream_async` of an agent or a graph of agents yields. Returns undefined for an unknown object.
 */
export function readPython(
  value: JsonObject,
  document: Document,
  state: StrandsState,
): AnswerEvent[] | undefined {
  const { type, event } = value;
  if (type === 'multiagent_result') return [{ type: 'end' }];
  if (type === 'multiagent_node_interrupt') return state.ask(value.interrupts);
  if (type === 'multiagent_node_stream' && isObject(event)) {
    // The result of one agent does not end the answer of several agents.
    return Object.hasOwn(event, 'result') ? [] : readAgent(event, document, state);
  }
  if (type !== undefined || !Object.hasOwn(value, 'result')) return readAgent(value, document, state);
  return [...(isObject(value.result) ? state.ask(value.result.interrupts) : []), { type: 'end' }];
}

function readAgent(value: JsonObject, document: Document, state: StrandsState): AnswerEvent[] | undefined {
  const { calls, converse } = state;
  const { type, event, delta, message, data } = value;
  if (isObject(event) && type === undefined) return readStream(event, document, state);
  if (isObject(delta)) return readCallback(delta, value.current_tool_use, state);
  // An agent may send only the text of a token.
  if (typeof data === 'string' && type === undefined) return readCallback({ text: data }, undefined, state);
  if (isMessage(message)) {
    const isAnswer = message.role === 'assistant';
    if (isAnswer && state.family !== 'stream') converse.isOpen = message.content.some(callsTool);
    const isNew = isAnswer && state.family === undefined;
    return [...calls.endAll(), ...readBlocks(message.content, calls, isNew)];
  }
  if (value.force_stop === true) {
    return [failureOf({ error_type: 'force_stop', error: value.force_stop_reason }, document.text)];
  }
  if (isObject(value.tool_interrupt_event)) return state.ask(value.tool_interrupt_event.interrupts);
  if (isObject(value.tool_result)) return readBlocks([{ toolResult: value.tool_result }], calls, false);
  if (LOOP_STARTS.some((key) => value[key] === true)) {
    converse.isOpen = true;
    return [];
  }
  return value.start === true ? [] : undefined;
}

/** Reads the model's own stream, in Bedrock's form. */
function readStream(event: JsonObject, document: Document, state: StrandsState): AnswerEvent[] | undefined {
  if (isObject(event.contentBlockDelta)) {
    if (state.family === 'callback') return [];
    state.family = 'stream';
  }
  return state.converse.read(event, document);
}

/** Reads the same content in the form that the callback handler receives. */
function readCallback(delta: JsonObject, toolUse: unknown, state: StrandsState): AnswerEvent[] | undefined {
  const { calls, converse } = state;
  state.family ??= 'callback';
  if (state.family === 'stream') return [];
  const { toolUseId, name } = isObject(toolUse) ? toolUse : {};
  const id = typeof toolUseId === 'string' ? toolUseId : undefined;
  const around = id === undefined ? calls.endAll() : calls.start(id, typeof name === 'string' ? name : '');
  const events = converse.readDelta(delta, id);
  return events && [...around, ...events];
}

function callsTool(block: unknown): boolean {
  return isObject(block) && isObject(block.toolUse);
}

/** Whether a value is a message in Bedrock's form. */
function isMessage(value: unknown): value is { role: string; content: unknown[] } {
  if (!isObject(value) || !Array.isArray(value.content) || value.content.length === 0) return false;
  if (value.role !== 'assistant' && value.role !== 'user') return false;
  return value.content.every(
    (block) =>
      isObject(block) && block.type === undefined && BLOCK_KEYS.some((key) => Object.hasOwn(block, key)),
  );
}
