import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { readBlocks } from './converse.ts';
import type { StrandsState } from './strands-state.ts';

/** Events that repeat the stream, or that have no content for a reader. */
const NOISE = new Set([
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
/** Events with content. */
const CONTENT = new Set([
  'modelStreamUpdateEvent',
  'contentBlockEvent',
  'toolResultEvent',
  'afterToolCallEvent',
  'toolStreamUpdateEvent',
  'interruptEvent',
  'agentResultEvent',
]);
/** The events of a model. They stand in a `modelStreamUpdateEvent`, or alone if the agent sends them so. */
const MODEL_EVENT = /^model(MessageSt(art|op)|ContentBlock(Start|Delta|Stop)|Metadata)Event$/;

/** Whether only Strands for TypeScript sends such an object. */
export function isTypeScriptEvent({ type }: JsonObject): boolean {
  return typeof type === 'string' && (NOISE.has(type) || CONTENT.has(type) || MODEL_EVENT.test(type));
}

/** Reads an object that `stream` yields. Returns undefined for an unknown object. */
export function readTypeScript(
  value: JsonObject,
  document: Document,
  state: StrandsState,
): AnswerEvent[] | undefined {
  const { calls, converse, family } = state;
  switch (value.type) {
    case 'modelStreamUpdateEvent':
      return isObject(value.event) ? readModelEvent(value.event, document, state) : undefined;
    case 'contentBlockEvent':
      return readBlocks([value.contentBlock], calls, family === undefined);
    case 'toolResultEvent':
    case 'afterToolCallEvent':
      return isObject(value.result) ? readBlocks([value.result], calls, false) : [];
    case 'toolStreamUpdateEvent':
      return undefined;
    case 'interruptEvent':
      return state.ask([value.interrupt]);
    case 'agentResultEvent':
      return [{ type: 'end' }];
  }
  if (!NOISE.has(value.type as string)) return readModelEvent(value, document, state);
  // A failed model sends no last message. The answer is then complete only after a further call, or with the result.
  if (value.type === 'beforeInvocationEvent' || isObject(value.error)) converse.isOpen = true;
  return [];
}

function readModelEvent(
  event: JsonObject,
  document: Document,
  state: StrandsState,
): AnswerEvent[] | undefined {
  const member = converseMember(event);
  if (member.contentBlockDelta) state.family = 'stream';
  return state.converse.read(member, document);
}

/** Turns an event of a model into a member of Bedrock's stream. */
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
