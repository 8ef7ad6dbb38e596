import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import type { Dialect, DialectOptions, DialectReader } from './dialect.ts';
import { failureOf } from './failure.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';
import { createUsageMeter } from './usage-meter.ts';

/** The names of functions by whose calls the framework itself asks the user. */
const QUESTION = /^adk_request_/;

/**
 * The events of `run_async` of Google's Agent Development Kit, for Python (with names in camel or snake case) and for
 * TypeScript. A run has no mark of its end: the close ends it, unless a text is not complete or a function has not
 * returned.
 *
 * @see https://google.github.io/adk-docs/events/
 */
export const adk: Dialect = {
  recognises({ value }) {
    if (!isObject(value)) return false;
    if (typeof (value.invocationId ?? value.invocation_id) === 'string' && typeof value.author === 'string') {
      return true;
    }
    return (
      typeof value.partial === 'boolean' && isObject(value.content) && Array.isArray(value.content.parts)
    );
  },
  createReader,
};

function createReader(options: DialectOptions): DialectReader {
  const calls = createToolCalls();
  const meter = createUsageMeter();
  const readUnknown = createUnknownReader(options);
  /** The text that arrived in pieces, by agent. It arrives again as a whole. */
  const pieced = new Map<unknown, { text: string; reasoning: string }>();
  /** The ids of functions that have not returned. */
  const running = new Set<string>();

  const readText = (
    type: 'text' | 'reasoning',
    text: string,
    { author, partial }: JsonObject,
  ): AnswerEvent[] => {
    const pieces = pieced.get(author) ?? { text: '', reasoning: '' };
    pieced.set(author, pieces);
    if (partial === true) {
      pieces[type] += text;
      return text === '' ? [] : [{ type, text }];
    }
    // The whole text may come in several parts, and its end may be new.
    const isKnown = pieces[type].startsWith(text);
    const rest = text.startsWith(pieces[type]) ? text.slice(pieces[type].length) : '';
    pieces[type] = isKnown ? pieces[type].slice(text.length) : '';
    return isKnown || rest === '' ? [] : [{ type, text: rest }];
  };

  const readPart = (part: JsonObject, value: JsonObject, document: Document): AnswerEvent[] => {
    const call = part.functionCall ?? part.function_call;
    const response = part.functionResponse ?? part.function_response;
    if (isObject(call)) return readCall(call, value);
    if (isObject(response)) {
      const id = idOf(response);
      running.delete(id);
      const output = response.response ?? null;
      return calls.result(id, output, isObject(output) && Object.hasOwn(output, 'error'));
    }
    if (typeof part.text === 'string') {
      return readText(part.thought === true ? 'reasoning' : 'text', part.text, value);
    }
    return options.structured === 'drop' ? [] : [{ type: 'data', value: part, raw: document.text }];
  };

  const readCall = (call: JsonObject, value: JsonObject): AnswerEvent[] => {
    // A partial event has only a piece of a call; the whole call follows.
    if (value.partial === true) return [];
    const id = idOf(call);
    const name = typeof call.name === 'string' ? call.name : '';
    if (QUESTION.test(name)) return [{ type: 'interrupt', id, reason: name, payload: call.args ?? {} }];
    const lasting = value.longRunningToolIds ?? value.long_running_tool_ids;
    if (!Array.isArray(lasting) || !lasting.includes(id)) running.add(id);
    return calls.whole(id, name, call.args);
  };

  return {
    read(document) {
      const { value } = document;
      if (!isObject(value) || !isEvent(value)) return readUnknown(document);
      const code = value.errorCode ?? value.error_code;
      const message = value.errorMessage ?? value.error_message;
      if (typeof code === 'string' || typeof message === 'string') {
        return [failureOf({ error_code: code, message: message ?? code }, document.text)];
      }
      const { content } = value;
      const parts = isObject(content) && Array.isArray(content.parts) ? content.parts.filter(isObject) : [];
      const events = parts.flatMap((part) => readPart(part, value, document));
      events.push(...meter.count(value.usageMetadata ?? value.usage_metadata));
      if (value.partial !== true && parts.length > 0) {
        pieced.delete(value.author);
        meter.reset();
      }
      const isOver = (value.turnComplete ?? value.turn_complete) === true;
      return isOver ? [...events, { type: 'end' }] : events;
    },
    isCompleteOnClose: () => pieced.size === 0 && running.size === 0,
  };
}

function isEvent(value: JsonObject): boolean {
  return isObject(value.content) || typeof value.author === 'string';
}

/** Returns the id of a call. Models may leave it out; the framework then uses the function's name. */
function idOf({ id, name }: JsonObject): string {
  return typeof id === 'string' ? id : String(name);
}
