import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { createConverseReader, isConverseEvent, readBlocks } from './converse.ts';
import type { Dialect, DialectOptions, DialectReader } from './dialect.ts';
import { failureOf } from './failure.ts';
import { readInterrupts } from './interrupts.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';

/** Keys of the events that only say that the loop turns, for Python. */
const LOOP_STARTS = ['init_event_loop', 'start_event_loop'];
/** Events of the TypeScript SDK that tell again what its stream has told, or nothing that a reader needs. */
const TYPESCRIPT_NOISE = new Set([
  'initializedEvent',
  'beforeInvocationEvent',
  'afterInvocationEvent',
  'messageAddedEvent',
  'beforeModelCallEvent',
  'afterModelCallEvent',
  'modelMessageEvent',
  'beforeToolsEvent',
  'afterToolsEvent',
  'beforeToolCallEvent',
]);
const TYPESCRIPT_EVENTS = new Set([
  ...TYPESCRIPT_NOISE,
  'modelStreamUpdateEvent',
  'contentBlockEvent',
  'toolResultEvent',
  'afterToolCallEvent',
  'toolStreamUpdateEvent',
  'interruptEvent',
  'agentResultEvent',
]);

/**
 * Strands Agents, for Python (what `stream_async` yields) and for TypeScript (what `stream` yields). Its loop ends with
 * the result; where that is not sent, the close ends it, unless a message or a tool is still open.
 *
 * @see https://strandsagents.com/latest/documentation/docs/user-guide/concepts/streaming/overview/
 */
export const strands: Dialect = {
  recognises({ value }) {
    if (!isObject(value)) return false;
    const { type, event, delta, data } = value;
    if (typeof type === 'string') {
      return TYPESCRIPT_EVENTS.has(type) || type.startsWith('multiagent_node_') || isModelEvent(value);
    }
    if (isObject(event)) return isConverseEvent(event);
    if (isObject(delta)) return typeof data === 'string' && delta.text === data;
    return LOOP_STARTS.some((key) => value[key] === true) || isMessage(value.message);
  },
  // Of an event with objects in it there is the repr alone, and `start` is a word of others, too.
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
  const interrupted = new Set<string>();
  /** What tells the text: a token comes again in up to three further forms. */
  let family: 'stream' | 'callback' | undefined;

  const ask = (interrupts: unknown) => readInterrupts(interrupts, interrupted);

  const readPython = (value: JsonObject, document: Document, isInner: boolean): AnswerEvent[] | undefined => {
    if (isObject(value.event) && typeof value.type !== 'string') {
      if (isObject(value.event.contentBlockDelta)) {
        if (family === 'callback') return [];
        family = 'stream';
      }
      return converse.read(value.event, document);
    }
    if (isObject(value.delta)) {
      family ??= 'callback';
      if (family === 'stream') return [];
      const { toolUseId, name } = isObject(value.current_tool_use) ? value.current_tool_use : {};
      if (typeof toolUseId !== 'string') {
        const events = converse.readDelta(value.delta);
        return events && [...calls.endAll(), ...events];
      }
      return [
        ...calls.start(toolUseId, typeof name === 'string' ? name : ''),
        ...(converse.readDelta(value.delta, toolUseId) ?? []),
      ];
    }
    if (isMessage(value.message)) {
      const { role, content } = value.message;
      return [...calls.endAll(), ...readBlocks(content, calls, role === 'assistant' && family === undefined)];
    }
    if (value.force_stop === true) {
      return [failureOf({ error_type: 'force_stop', error: value.force_stop_reason }, document.text)];
    }
    if (isObject(value.tool_interrupt_event)) return ask(value.tool_interrupt_event.interrupts);
    if (isObject(value.tool_result)) return readBlocks([{ toolResult: value.tool_result }], calls, false);
    if (LOOP_STARTS.some((key) => value[key] === true)) {
      converse.isOpen = true;
      return [];
    }
    if (value.start === true) return [];
    if (!Object.hasOwn(value, 'result') || isInner || value.type !== undefined) return undefined;
    return [...(isObject(value.result) ? ask(value.result.interrupts) : []), { type: 'end' }];
  };

  const readMultiAgent = (type: string, value: JsonObject, document: Document): AnswerEvent[] | undefined => {
    if (type === 'multiagent_result') return [{ type: 'end' }];
    if (type === 'multiagent_node_interrupt') return ask(value.interrupts);
    if (type !== 'multiagent_node_stream' || !isObject(value.event)) return undefined;
    const inner = value.event;
    // The result of a node ends no answer, and several nodes may speak at once.
    return Object.hasOwn(inner, 'result') ? [] : readPython(inner, document, true);
  };

  const readTypeScript = (type: string, value: JsonObject, document: Document): AnswerEvent[] | undefined => {
    if (type === 'modelStreamUpdateEvent') {
      return isObject(value.event) ? readModelEvent(value.event, document) : undefined;
    }
    if (isModelEvent(value)) return readModelEvent(value, document);
    if (type === 'toolResultEvent' || type === 'afterToolCallEvent') {
      return isObject(value.result) ? readBlocks([value.result], calls, false) : [];
    }
    if (type === 'contentBlockEvent') return readBlocks([value.contentBlock], calls, family === undefined);
    if (type === 'interruptEvent') return ask([value.interrupt]);
    if (type === 'agentResultEvent') return [{ type: 'end' }];
    if (!TYPESCRIPT_NOISE.has(type)) return undefined;
    // A model that failed has no last message: only a further call, or the result, completes the answer.
    if (type === 'beforeInvocationEvent' || isObject(value.error)) converse.isOpen = true;
    return [];
  };

  const readModelEvent = (event: JsonObject, document: Document): AnswerEvent[] | undefined => {
    const member = converseMember(event);
    if (member.contentBlockDelta) family = 'stream';
    return converse.read(member, document);
  };

  return {
    read(document) {
      const { value } = document;
      if (!isObject(value)) return readUnknown(document);
      const type = typeof value.type === 'string' ? value.type : '';
      const events =
        type.startsWith('multiagent_') && type !== ''
          ? readMultiAgent(type, value, document)
          : (readTypeScript(type, value, document) ?? readPython(value, document, false));
      return events ?? readUnknown(document);
    },
    isCompleteOnClose: () => !converse.isOpen && !calls.areOpen,
  };
}

/** Whether this is an event of a model for TypeScript, as the SDK's models yield them. */
function isModelEvent({ type }: JsonObject): boolean {
  return (
    typeof type === 'string' &&
    /^model(Message|ContentBlock|Metadata)\w*Event$/.test(type) &&
    type !== 'modelMessageEvent'
  );
}

/** The member of Bedrock's stream that an event of the TypeScript SDK is. */
function converseMember(event: JsonObject): JsonObject {
  const { type, delta, start } = event;
  switch (type) {
    case 'modelMessageStartEvent':
      return { messageStart: event };
    case 'modelContentBlockStartEvent':
      return { contentBlockStart: { start: isObject(start) ? { toolUse: start } : {} } };
    case 'modelContentBlockDeltaEvent':
      return { contentBlockDelta: { delta: isObject(delta) ? converseDelta(delta) : {} } };
    case 'modelContentBlockStopEvent':
      return { contentBlockStop: event };
    case 'modelMessageStopEvent':
      return { messageStop: event };
    case 'modelMetadataEvent':
      return { metadata: event };
    default:
      return event;
  }
}

function converseDelta(delta: JsonObject): JsonObject {
  if (delta.type === 'toolUseInputDelta') return { toolUse: delta };
  return delta.type === 'reasoningContentDelta' ? { reasoningContent: delta } : delta;
}

/** A message in the form of Bedrock, whose blocks have no `type`. */
function isMessage(value: unknown): value is { role: string; content: unknown[] } {
  if (!isObject(value) || !Array.isArray(value.content)) return false;
  if (value.role !== 'assistant' && value.role !== 'user') return false;
  return (
    value.content.length > 0 &&
    value.content.every(
      (block) =>
        isObject(block) &&
        block.type === undefined &&
        ['text', 'toolUse', 'toolResult', 'reasoningContent', 'reasoning'].some((key) =>
          Object.hasOwn(block, key),
        ),
    )
  );
}
