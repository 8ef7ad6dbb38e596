import type { ContentEvent, DataEvent } from '../events.ts';
import { isObject, type JsonObject } from '../framing/document.ts';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const any: Check = (value) => value !== undefined;
const flag: Check = (value) => typeof value === 'boolean';
const operations: Check = (value) => Array.isArray(value) && value.every(isOperation);
const messages: Check = (value) => Array.isArray(value) && value.every(isMessage);

/**
 * The AG-UI events that no kind of AnswerEvent expresses, with their fields. A question mark marks an optional field.
 */
const EVENTS: Record<string, Record<string, Check>> = {
  STATE_SNAPSHOT: { snapshot: any },
  STATE_DELTA: { delta: operations },
  MESSAGES_SNAPSHOT: { messages },
  ACTIVITY_SNAPSHOT: { messageId: text, activityType: text, content: isObject, 'replace?': flag },
  ACTIVITY_DELTA: { messageId: text, activityType: text, patch: operations },
  STEP_STARTED: { stepName: text },
  STEP_FINISHED: { stepName: text },
  CUSTOM: { name: text, value: any },
  RAW: { event: any, 'source?': text },
};

/**
 * Returns the agent's own AG-UI event, without fields that a client may refuse. Returns undefined for other data, and
 * for an event that would break a client.
 */
export function passedOn({ name = '', value }: DataEvent, sessionId: string): JsonObject | undefined {
  const fields = Object.hasOwn(EVENTS, name) ? EVENTS[name] : undefined;
  if (!fields || !isObject(value)) return undefined;
  const event: JsonObject = { type: name };
  for (const [key, check] of Object.entries(fields)) {
    const field = key.replace('?', '');
    if (check(value[field])) event[field] = value[field];
    else if (field === key) return undefined;
  }
  if (Number.isSafeInteger(value.timestamp)) event.timestamp = value.timestamp;
  if (isObject(value.metadata)) event.metadata = value.metadata;
  // The agent's history replaces the client's, whose messages name the session: the new messages must name it, too.
  if (Array.isArray(event.messages))
    event.messages = event.messages.map((one) => withSession(one, sessionId));
  return event;
}

function withSession(message: JsonObject, sessionId: string): JsonObject {
  if (message.role !== 'assistant') return message;
  const metadata = isObject(message.metadata) ? message.metadata : {};
  return { ...message, metadata: { ...metadata, sessionId } };
}

const OPERATIONS: Record<string, Check> = {
  add: (operation) => isObject(operation) && 'value' in operation,
  replace: (operation) => isObject(operation) && 'value' in operation,
  test: (operation) => isObject(operation) && 'value' in operation,
  remove: () => true,
  move: (operation) => isObject(operation) && text(operation.from),
  copy: (operation) => isObject(operation) && text(operation.from),
};

/** @see https://www.rfc-editor.org/rfc/rfc6902#section-4 */
function isOperation(value: unknown): boolean {
  if (!isObject(value) || !text(value.op) || !text(value.path)) return false;
  const check = Object.hasOwn(OPERATIONS, value.op as string) ? OPERATIONS[value.op as string] : undefined;
  return check?.(value) === true;
}

/** The check of a message, by its role. */
const ROLES: Record<string, (message: JsonObject) => boolean> = {
  developer: ({ content }) => text(content),
  system: ({ content }) => text(content),
  reasoning: ({ content }) => text(content),
  user: ({ content }) => text(content) || (Array.isArray(content) && content.every(isTextPart)),
  assistant: ({ content, toolCalls }) =>
    (content === undefined || text(content)) &&
    (toolCalls === undefined || (Array.isArray(toolCalls) && toolCalls.every(isToolCall))),
  tool: ({ content, toolCallId }) => text(content) && text(toolCallId),
  activity: ({ activityType, content }) => text(activityType) && isObject(content),
};

function isMessage(value: unknown): boolean {
  if (!isObject(value) || !text(value.id) || !text(value.role)) return false;
  return Object.hasOwn(ROLES, value.role as string) && ROLES[value.role as string]?.(value) === true;
}

function isTextPart(part: unknown): boolean {
  return isObject(part) && part.type === 'text' && text(part.text);
}

function isToolCall(call: unknown): boolean {
  if (!isObject(call) || call.type !== 'function' || !text(call.id)) return false;
  return isObject(call.function) && text(call.function.name) && text(call.function.arguments);
}

/** The fields of AG-UI's interrupts other than `id` and `reason`, with their types. */
const INTERRUPT_FIELDS = {
  message: 'string',
  toolCallId: 'string',
  expiresAt: 'string',
  responseSchema: 'object',
  metadata: 'object',
};

/**
 * Turns a question into an interrupt of AG-UI.
 *
 * @param awaited receives the id of the tool call that the user is asked about, if any
 */
export function interruptOf(
  { id, reason, payload }: Extract<ContentEvent, { type: 'interrupt' }>,
  awaited: Set<unknown>,
): object {
  const fields = Object.entries(isObject(payload) ? payload : {}).filter(
    ([key, value]) =>
      typeof value === INTERRUPT_FIELDS[key as keyof typeof INTERRUPT_FIELDS] &&
      (typeof value === 'string' || isObject(value)),
  );
  const known = Object.fromEntries(fields);
  if (known.toolCallId !== undefined) awaited.add(known.toolCallId);
  const isOther = payload !== undefined && fields.length === 0;
  return { id, reason: reason ?? 'input_required', ...known, ...(isOther && { metadata: { payload } }) };
}
