import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import type { Dialect, DialectOptions, DialectReader } from './dialect.ts';
import { failureOf } from './failure.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';
import { usageOf } from './usage.ts';

/** The types of parts that only the AI SDK uses. Others use `start`, `finish` and `error`, too. */
const PART =
  /^((text|reasoning)-(start|delta|end)|(start|finish)-step|tool-(input-(start|delta|end|available|error)|output-(available|error|denied)|approval-request)|message-metadata)$/;
const NOISE = /^((text|reasoning)-(start|end)|start|start-step|raw)$/;

/**
 * The AI SDK: the parts of its UI message stream (`toUIMessageStream`) and of `fullStream`, whose types are nearly the
 * same. An answer that has started is complete only with `finish`.
 *
 * @see https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
 */
export const uiMessageStream: Dialect = {
  recognises({ value }) {
    // Mastra's parts have the same types, but keep everything in a payload.
    if (!isObject(value) || typeof value.type !== 'string' || isObject(value.payload)) return false;
    return PART.test(value.type) || (value.type === 'error' && typeof value.errorText === 'string');
  },
  mayBegin: ({ value }) => isObject(value) && value.type === 'start' && Object.keys(value).every(isOfStart),
  createReader,
};

function isOfStart(key: string): boolean {
  return key === 'type' || key === 'messageId' || key === 'messageMetadata';
}

function createReader(options: DialectOptions): DialectReader {
  const calls = createToolCalls();
  const readUnknown = createUnknownReader(options);
  let hasStarted = false;
  let hasUsage = false;

  const count = (usage: unknown): AnswerEvent[] => {
    const counted = usageOf(usage);
    if (!counted) return [];
    hasUsage = true;
    return [counted];
  };

  const readTool = (type: string, part: JsonObject): AnswerEvent[] | undefined => {
    const { toolName, input } = part;
    const id = [part.toolCallId, part.id].find((name): name is string => typeof name === 'string');
    if (id === undefined) return undefined;
    const name = typeof toolName === 'string' ? toolName : '';
    switch (type) {
      case 'tool-input-start':
        return calls.start(id, name);
      case 'tool-input-delta':
        return calls.input(id, part.inputTextDelta ?? part.delta);
      case 'tool-input-end':
        return calls.end(id);
      case 'tool-input-available':
      case 'tool-call':
        return calls.whole(id, name, input);
      case 'tool-input-error':
        return [...calls.whole(id, name, input), ...calls.result(id, part.errorText, true)];
      case 'tool-output-available':
      case 'tool-result':
        // A preliminary output is data: the final output follows.
        return part.preliminary === true ? undefined : calls.result(id, part.output ?? null, false);
      case 'tool-output-error':
      case 'tool-error':
        return calls.result(id, part.errorText ?? part.error ?? null, true);
      case 'tool-output-denied':
        return calls.result(id, 'denied', true);
      default:
        return undefined;
    }
  };

  /** Reads a request for the user's approval of a tool call. */
  const readApproval = ({ approvalId, toolCallId, toolCall }: JsonObject): AnswerEvent[] | undefined => {
    if (typeof approvalId !== 'string') return undefined;
    const payload = { toolCallId: toolCallId ?? (isObject(toolCall) ? toolCall.toolCallId : undefined) };
    return [{ type: 'interrupt', id: approvalId, reason: 'tool-approval', payload }];
  };

  const readPart = (type: string, part: JsonObject, document: Document): AnswerEvent[] | undefined => {
    const { delta = part.text } = part;
    if (type === 'text-delta' || type === 'reasoning-delta') {
      if (typeof delta !== 'string') return undefined;
      if (delta === '') return [];
      return [{ type: type === 'text-delta' ? 'text' : 'reasoning', text: delta }];
    }
    if (type === 'tool-approval-request') return readApproval(part);
    if (type.startsWith('tool-')) return readTool(type, part);
    if (type === 'start' || type === 'start-step') hasStarted = true;
    if (type === 'finish-step') return [...calls.endAll(), ...count(part.usage)];
    if (type === 'finish') return [...(hasUsage ? [] : count(part.totalUsage)), { type: 'end' }];
    const error = part.errorText ?? part.error;
    if (type === 'error' && error !== undefined) return [failureOf(error, document.text)];
    if (type === 'abort') return [failureOf(part.reason ?? 'the agent aborted its answer', document.text)];
    if (type.startsWith('data-')) {
      if (options.structured === 'drop') return [];
      return [{ type: 'data', name: type, value: part.data, raw: document.text }];
    }
    return NOISE.test(type) ? [] : undefined;
  };

  return {
    read(document) {
      const { value } = document;
      if (!isObject(value) || typeof value.type !== 'string') return readUnknown(document);
      return readPart(value.type, value, document) ?? readUnknown(document);
    },
    isCompleteOnClose: () => !hasStarted,
  };
}
