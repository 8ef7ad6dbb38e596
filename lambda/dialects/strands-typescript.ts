import type { AnswerEvent } from '../events.ts';
import { type Document, isObject, type JsonObject } from '../framing/document.ts';
import { readBlocks } from './converse.ts';
import type { StrandsState } from './strands-state.ts';

/** Events that tell again what the stream has told, or nothing that a reader needs. */
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
const TOLD = new Set([
  'modelStreamUpdateEvent',
  'contentBlockEvent',
  'toolResultEvent',
  'afterToolCallEvent',
  'toolStreamUpdateEvent',
  'interruptEvent',
  'agentResultEvent',
]);
/** Events of a model, which stand in a `modelStreamUpdateEvent`, or alone where an agent sends those. */
const MODEL_EVENT = /^model(MessageSt(art|op)|ContentBlock(Start|Delta|Stop)|Metadata)Event$/;

/** Whether only Strands for TypeScript sends such an object. */
export function isTypeScriptEvent({ type }: JsonObject): boolean {
  return typeof type === 'string' && (NOISE.has(type) || TOLD.has(type) || MODEL_EVENT.test(type));
}

/** The events of what `stream` yields; undefined for what it does not know. */
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
  // A model that failed has no last message: only a further call, or the result, completes the answer.
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

/** The member of Bedrock's stream that an event of a model is. */
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
