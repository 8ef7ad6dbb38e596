import { isObject } from '../framing/document.ts';
import { createConverseReader } from './converse.ts';
import type { Dialect, DialectOptions, DialectReader } from './dialect.ts';
import { readInterrupts } from './interrupts.ts';
import { isPythonEvent, readPython } from './strands-python.ts';
import type { StrandsState } from './strands-state.ts';
import { isTypeScriptEvent, readTypeScript } from './strands-typescript.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';

/**
 * Strands Agents for Python (the objects that `stream_async` yields) and for TypeScript (those of `stream`). The loop
 * ends with the result. If the agent does not send the result, the close ends it, unless a message or a tool is still
 * open.
 *
 * @see https://strandsagents.com/latest/documentation/docs/user-guide/concepts/streaming/overview/
 */
export const strands: Dialect = {
  recognises: ({ value }) => isObject(value) && (isTypeScriptEvent(value) || isPythonEvent(value)),
  // An event that is not JSON arrives as its repr, `{'…`. `start` is a key of other frameworks, too.
  mayBegin: ({ value }) =>
    typeof value === 'string'
      ? value.startsWith("{'")
      : isObject(value) && value.start === true && Object.keys(value).length === 1,
  createReader,
};

function createReader(options: DialectOptions): DialectReader {
  const calls = createToolCalls();
  const converse = createConverseReader(calls);
  const readUnknown = createUnknownReader(options);
  const asked = new Set<string>();
  const state: StrandsState = {
    calls,
    converse,
    ask: (interrupts) => readInterrupts(interrupts, asked),
    family: undefined,
  };
  return {
    read(document) {
      const { value } = document;
      if (!isObject(value)) return readUnknown(document);
      const read = isTypeScriptEvent(value) ? readTypeScript : readPython;
      return read(value, document, state) ?? readUnknown(document);
    },
    isCompleteOnClose() {
      // An agent that asks the user leaves a tool open. The events of the callback handler do not show a message's end.
      if (asked.size > 0) return true;
      return (state.family === 'callback' || !converse.isOpen) && !calls.areOpen;
    },
  };
}
