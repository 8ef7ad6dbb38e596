import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { failureOf } from './failure.ts';
import type { ToolCalls } from './tool-calls.ts';
import { createUsageMeter } from './usage-meter.ts';

/** Reads the chunks of chat completions, one after the other. */
export interface ChatReader {
  read(chunk: JsonObject, document: Document): AnswerEvent[];
  /** Whether a completion has not finished, or waits for its tools. */
  readonly isOpen: boolean;
}

export function isChatChunk(value: JsonObject): boolean {
  if (!Array.isArray(value.choices)) return false;
  if (value.object === 'chat.completion.chunk') return true;
  const [first] = value.choices;
  return isObject(first) && isObject(first.delta);
}

export function createChatReader(calls: ToolCalls): ChatReader {
  const meter = createUsageMeter();
  let completion: unknown;
  let isOpen = false;
  /** The ids of the tool calls by their index: only the first piece of a call has the id. */
  let pieces = new Map<unknown, string>();

  const readDelta = (delta: JsonObject): AnswerEvent[] => {
    const events: AnswerEvent[] = [];
    // Services that are compatible with OpenAI use these two names for reasoning.
    const thought = delta.reasoning_content ?? delta.reasoning;
    if (typeof thought === 'string' && thought !== '') events.push({ type: 'reasoning', text: thought });
    for (const text of [delta.content, delta.refusal]) {
      if (typeof text === 'string' && text !== '') events.push({ type: 'text', text });
    }
    const toolCalls = Array.isArray(delta.tool_calls) ? delta.tool_calls.filter(isObject) : [];
    for (const { index, id, function: called } of toolCalls) {
      const { name, arguments: input } = isObject(called) ? called : {};
      if (typeof id === 'string' && id !== '' && pieces.get(index) !== id) {
        pieces.set(index, id);
        events.push(...calls.start(id, typeof name === 'string' ? name : ''));
      }
      events.push(...calls.input(pieces.get(index), input));
    }
    return events;
  };

  return {
    read(chunk, { text }) {
      if (isObject(chunk.error)) return [failureOf(chunk, text)];
      const events: AnswerEvent[] = [];
      if (chunk.id !== completion) {
        completion = chunk.id;
        pieces = new Map();
        meter.reset();
        events.push(...calls.endAll());
      }
      for (const choice of (chunk.choices as unknown[]).filter(isObject)) {
        // The answer is the first of several choices.
        if (choice.index !== undefined && choice.index !== 0) continue;
        if (isObject(choice.delta)) events.push(...readDelta(choice.delta));
        const reason = choice.finish_reason;
        isOpen = typeof reason !== 'string' || reason === 'tool_calls';
        if (typeof reason === 'string') events.push(...calls.endAll());
      }
      return [...events, ...meter.count(chunk.usage)];
    },
    get isOpen() {
      return isOpen;
    },
  };
}
