import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { failureOf } from './failure.ts';
import type { ToolCalls } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/** Reads the events of responses, one after the other. */
export interface ResponsesReader {
  /** Returns the events of one event of the API; undefined for an unknown event. */
  read(event: JsonObject, document: Document): AnswerEvent[] | undefined;
  /** Whether a response has not finished, or waits for its tools. */
  readonly isOpen: boolean;
}

const TYPE = /^response\.[a-z_]+(\.[a-z_]+){0,2}$/;
const TEXT = new Set(['response.output_text.delta', 'response.refusal.delta']);
const THOUGHT = new Set(['response.reasoning_summary_text.delta', 'response.reasoning_text.delta']);
const INPUT = new Set([
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
  'response.mcp_call_arguments.delta',
  'response.code_interpreter_call_code.delta',
]);
/** Events about the progress of items whose content other events have. */
const NOISE = /\.(created|queued|in_progress|searching|interpreting|generating|done|added|completed)$/;
const ANNOTATION = 'response.output_text.annotation.added';

export function isResponsesEvent({ type, sequence_number: sequence, response, item }: JsonObject): boolean {
  if (typeof type !== 'string' || !TYPE.test(type)) return false;
  return typeof sequence === 'number' || isObject(response) || isObject(item) || TEXT.has(type);
}

export function createResponsesReader(calls: ToolCalls): ResponsesReader {
  /** The call ids, which results name, by the ids of the items. */
  const ids = new Map<unknown, string>();
  let isOpen = false;
  let waitsForTools = false;

  const readItem = (item: JsonObject, isWhole: boolean): AnswerEvent[] => {
    const { type, id, call_id: callId, name, output, error } = item;
    if (type === 'function_call_output' && typeof callId === 'string') {
      return calls.result(callId, output ?? null, false);
    }
    if (typeof type !== 'string' || !type.endsWith('_call')) return [];
    const own = [callId, id].find((candidate) => typeof candidate === 'string');
    if (typeof own !== 'string') return [];
    ids.set(id, own);
    const called = typeof name === 'string' ? name : type.slice(0, -'_call'.length);
    if (!isWhole) return calls.start(own, called);
    // The service itself runs all tools except the caller's own functions.
    waitsForTools ||= type === 'function_call' || type === 'custom_tool_call';
    const events = calls.whole(own, called, item.arguments ?? item.input ?? item.action);
    const isResult = typeof output === 'string' || (error !== undefined && error !== null);
    return isResult ? [...events, ...calls.result(own, output ?? error, output === undefined)] : events;
  };

  return {
    read(event, { text }) {
      const { type, delta, item, response } = event;
      if (typeof type !== 'string') return undefined;
      if (TEXT.has(type) || THOUGHT.has(type)) {
        if (typeof delta !== 'string' || delta === '') return [];
        return [{ type: TEXT.has(type) ? 'text' : 'reasoning', text: delta }];
      }
      if (INPUT.has(type)) return calls.input(ids.get(event.item_id), delta);
      if (type === 'response.output_item.added') return isObject(item) ? readItem(item, false) : [];
      if (type === 'response.output_item.done') return isObject(item) ? readItem(item, true) : [];
      if (type === 'response.created') {
        isOpen = true;
        waitsForTools = false;
        return [];
      }
      if (type === 'response.failed') {
        return [failureOf(isObject(response) ? { error: response.error } : undefined, text)];
      }
      if (type === 'response.completed' || type === 'response.incomplete') {
        isOpen = waitsForTools;
        const usage = isObject(response) ? usageOf(response.usage) : undefined;
        const end = waitsForTools ? [] : [{ type: 'end' as const }];
        return [...calls.endAll(), ...(usage ? [usage] : []), ...end];
      }
      return type !== ANNOTATION && NOISE.test(type) ? [] : undefined;
    },
    get isOpen() {
      return isOpen;
    },
  };
}
