import type { AnswerEvent } from '../events.ts';
import { isObject, type JsonObject } from '../framing/document.ts';
import type { Dialect, DialectOptions, DialectReader, InputRequest } from './dialect.ts';
import { failureOf } from './failure.ts';
import { readInterrupts } from './interrupts.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';
import { usageOf } from './usage.ts';

/** The event types that only AG-UI uses. Others use `RAW` and `CUSTOM`, too. */
const TYPE =
  /^(RUN_(STARTED|FINISHED|ERROR)|TEXT_MESSAGE_(START|CONTENT|END|CHUNK)|TOOL_CALL_(START|ARGS|END|CHUNK|RESULT)|(THINKING|REASONING)_[A-Z_]+|STATE_(SNAPSHOT|DELTA)|MESSAGES_SNAPSHOT|ACTIVITY_(SNAPSHOT|DELTA)|STEP_(STARTED|FINISHED))$/;
/** Events that only mark a beginning or an end which the content shows as well, and encrypted reasoning. */
const NOISE =
  /^(TEXT_MESSAGE_END|(THINKING|REASONING)_(START|END|TEXT_MESSAGE_START|TEXT_MESSAGE_END|MESSAGE_START|MESSAGE_END|ENCRYPTED_VALUE))$/;
const THOUGHT = /^(THINKING_TEXT_MESSAGE_CONTENT|REASONING_MESSAGE_(CONTENT|CHUNK))$/;
/** The event by which agents ask the user in releases without `outcome`. Some agents send both. */
const LEGACY_INTERRUPT = 'on_interrupt';

/**
 * AG-UI. A run that has started is complete only with RUN_FINISHED.
 *
 * @see https://docs.ag-ui.com/concepts/events
 */
export const agUi: Dialect = {
  recognises({ value }) {
    if (!isObject(value) || typeof value.type !== 'string' || !TYPE.test(value.type)) return false;
    // Others use these types, too: AG-UI's events have a further field that it requires.
    if (value.type.startsWith('STEP_')) return typeof value.stepName === 'string';
    return !/^RUN_(STARTED|FINISHED)$/.test(value.type) || typeof value.runId === 'string';
  },
  createReader,
  input: runAgentInput,
  takesRun: true,
};

function createReader(options: DialectOptions): DialectReader {
  const calls = createToolCalls();
  const readUnknown = createUnknownReader(options);
  /** The ids of messages with another role than the assistant's, which are no part of the answer. */
  const others = new Set<unknown>();
  let isRunning = false;
  let lastCall: string | undefined;
  const questions: unknown[] = [];

  const readText = ({ messageId, role, delta }: JsonObject): AnswerEvent[] => {
    if (typeof role === 'string' && role !== 'assistant') others.add(messageId);
    if (others.has(messageId) || typeof delta !== 'string' || delta === '') return [];
    return [{ type: 'text', text: delta }];
  };

  const readCall = (type: string, value: JsonObject): AnswerEvent[] => {
    const { toolCallId, toolCallName, delta } = value;
    const id = typeof toolCallId === 'string' ? toolCallId : lastCall;
    if (id === undefined) return [];
    if (type === 'TOOL_CALL_END') return calls.end(id);
    if (type === 'TOOL_CALL_RESULT') return calls.result(id, value.content ?? null, false);
    if (typeof toolCallName !== 'string') return calls.input(id, delta);
    // A chunk that names another call ends the previous call. Parallel calls have START and END instead.
    const before = type === 'TOOL_CALL_CHUNK' && id !== lastCall ? calls.end(lastCall) : [];
    lastCall = id;
    return [...before, ...calls.start(id, toolCallName), ...calls.input(id, delta)];
  };

  const finish = (value: JsonObject, raw: string): AnswerEvent[] => {
    const { outcome } = value;
    if (isObject(outcome) && outcome.type === 'cancelled') {
      return [...usagesOf(value.usage), failureOf('the agent cancelled its run', raw)];
    }
    // Older releases send `outcome: "interrupt"` with `interrupt`, newer ones `outcome: {type, interrupts}`.
    const interrupts = isObject(outcome)
      ? outcome.interrupts
      : outcome === 'interrupt'
        ? [value.interrupt]
        : undefined;
    return [
      ...calls.endAll(),
      ...usagesOf(value.usage),
      ...readInterrupts(Array.isArray(interrupts) ? interrupts : questions, new Set()),
      { type: 'end' },
    ];
  };

  return {
    read(document) {
      const { value } = document;
      if (!isObject(value) || typeof value.type !== 'string') return readUnknown(document);
      const { type } = value;
      if (type === 'TEXT_MESSAGE_CONTENT' || type === 'TEXT_MESSAGE_CHUNK' || type === 'TEXT_MESSAGE_START') {
        return readText(value);
      }
      if (THOUGHT.test(type)) {
        return typeof value.delta === 'string' && value.delta !== ''
          ? [{ type: 'reasoning', text: value.delta }]
          : [];
      }
      if (type.startsWith('TOOL_CALL_')) return readCall(type, value);
      if (NOISE.test(type)) return [];
      if (type === 'RUN_STARTED') {
        isRunning = true;
        return [];
      }
      if (type === 'RUN_FINISHED') return finish(value, document.text);
      if (type === 'RUN_ERROR') return [...usagesOf(value.usage), failureOf(value, document.text)];
      if (type !== 'CUSTOM' || typeof value.name !== 'string') return readUnknown(document);
      if (value.name === LEGACY_INTERRUPT) {
        questions.push(value.value);
        return [];
      }
      if (options.structured === 'drop') return [];
      return [{ type: 'data', name: value.name, value: value.value, raw: document.text }];
    },
    isCompleteOnClose: () => !isRunning,
  };
}

/** Returns the tokens of a run, one event per model. */
function usagesOf(usage: unknown): AnswerEvent[] {
  return Array.isArray(usage) ? usage.map(usageOf).filter((counted) => counted !== undefined) : [];
}

/** Makes the RunAgentInput of a prompt. A caller's own RunAgentInput is passed on, except for its ids. */
function runAgentInput({ prompt, sessionId, requestId, run = {} }: InputRequest): JsonObject {
  return {
    threadId: sessionId,
    runId: requestId,
    state: run.state ?? {},
    messages: run.messages ?? [{ id: requestId, role: 'user', content: prompt }],
    tools: run.tools ?? [],
    context: run.context ?? [],
    forwardedProps: run.forwardedProps ?? {},
    ...(run.resume !== undefined && { resume: run.resume }),
  };
}
