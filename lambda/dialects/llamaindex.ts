import type { AnswerEvent } from '../events.ts';
import { isObject, type JsonObject } from '../framing/document.ts';
import type { Dialect, DialectOptions, DialectReader } from './dialect.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';

/** The names of a workflow's stream events and stop events, in `event` or `type`. */
const STREAM = new Set(['agent_stream', 'AgentStream']);
const STOP = new Set(['stop', 'stop_event', 'StopEvent']);
/** The names of events with the model's input. */
const NOISE = new Set(['agent_input', 'agent_setup', 'AgentInput', 'AgentSetup']);

/**
 * LlamaIndex's agent workflows for Python and TypeScript. Their events arrive as dumped, with their name beside them in
 * `event`, or inside `{type, value}`. `done` ends one step of several. A workflow ends with its stop event or with the
 * close, unless a tool still runs, or the workflow marks its steps and is within one.
 *
 * @see https://developers.llamaindex.ai/python/framework/understanding/agent/streaming/
 */
export const llamaindex: Dialect = {
  recognises({ value }) {
    if (!isObject(value)) return false;
    const event = eventOf(value);
    if (typeof event.delta === 'string' && typeof event.response === 'string') {
      return STREAM.has(nameOf(value)) || hasAgent(event);
    }
    return hasAgent(event) || isToolCall(event);
  },
  createReader,
};

function createReader(options: DialectOptions): DialectReader {
  const calls = createToolCalls();
  const readUnknown = createUnknownReader(options);
  let marksSteps = false;
  let isInStep = false;
  /** The ids of tools that have not returned. */
  const running = new Set<string>();

  const readStream = (event: JsonObject): AnswerEvent[] => {
    isInStep = true;
    // The model speaks again, so its tools have returned, even if their results were not sent.
    running.clear();
    const { delta, thinking_delta: thought } = event;
    return [
      ...(typeof thought === 'string' && thought !== ''
        ? [{ type: 'reasoning' as const, text: thought }]
        : []),
      ...(delta === '' ? [] : [{ type: 'text' as const, text: delta as string }]),
    ];
  };
  const readTool = (event: JsonObject): AnswerEvent[] => {
    const id = String(event.tool_id ?? event.toolId ?? event.tool_name);
    const name = String(event.tool_name ?? event.toolName);
    const output = event.tool_output ?? event.toolOutput;
    const call = calls.whole(id, name, event.tool_kwargs ?? event.toolKwargs);
    running.add(id);
    if (output === undefined) return call;
    running.delete(id);
    return [...call, ...calls.result(id, textOf(output), isError(output))];
  };

  return {
    read(document) {
      const { value } = document;
      if (!isObject(value)) return readUnknown(document);
      const event = eventOf(value);
      const name = nameOf(value);
      if (typeof event.delta === 'string') return readStream(event);
      if (isToolCall(event)) return readTool(event);
      if (name === 'done') {
        marksSteps = true;
        isInStep = false;
        return [];
      }
      if (STOP.has(name)) return [{ type: 'end' }];
      if (NOISE.has(name) || (hasAgent(event) && Array.isArray(event.input))) return [];
      if (!hasAgent(event) || !isObject(event.response)) return readUnknown(document);
      // This event repeats the step that the stream has sent. Another step follows if it calls tools.
      marksSteps = true;
      isInStep = [event.tool_calls, event.toolCalls].some((list) => Array.isArray(list) && list.length > 0);
      return [];
    },
    isCompleteOnClose: () => !(marksSteps && isInStep) && running.size === 0,
  };
}

function nameOf({ event, type }: JsonObject): string {
  return typeof event === 'string' ? event : typeof type === 'string' ? type : '';
}

/** Returns the event itself, or the event in an envelope `{type: "AgentStream", value: {…}, qualified_name}`. */
function eventOf(value: JsonObject): JsonObject {
  return isObject(value.value) && typeof value.type === 'string' ? value.value : value;
}

function hasAgent({
  current_agent_name: python,
  currentAgentName: typescript,
  ...event
}: JsonObject): boolean {
  return (
    typeof (python ?? typescript) === 'string' && ['delta', 'response', 'input'].some((key) => key in event)
  );
}

function isToolCall({ tool_name: python, tool_kwargs: input, toolName, toolKwargs }: JsonObject): boolean {
  return (
    (typeof python === 'string' && isObject(input)) || (typeof toolName === 'string' && isObject(toolKwargs))
  );
}

/** Returns the output of a tool, as text if the framework gives its text beside its own objects. */
function textOf(output: unknown): unknown {
  if (!isObject(output)) return output;
  if (typeof output.content === 'string') return output.content;
  const blocks = Array.isArray(output.blocks) ? output.blocks.filter(isObject) : [];
  const texts = blocks.map(({ text }) => text).filter((text) => typeof text === 'string');
  return texts.length > 0 ? texts.join('') : (output.result ?? output);
}

function isError(output: unknown): boolean {
  return isObject(output) && (output.is_error === true || output.isError === true);
}
