import type { AnswerContext, Protocol, ProtocolWriter } from '../answer/protocol.ts';
import type { DataEvent } from '../events.ts';
import { isObject, type JsonObject, parseJson } from '../framing/document.ts';
import { conversationSession, lastMessage, textOf } from './conversation.ts';
import { namedAgent, readPayload, readPrompt, wrongField } from './fields.ts';
import { errorSentence, refuseAsText } from './kit-errors.ts';
import { createParts, type Part } from './parts.ts';
import { EVENT_STREAM, jsonLine, sseEvent } from './sse-event.ts';

/**
 * The AI SDK's UI message stream, the protocol of `useChat`. Some versions of it refuse unknown parts, and unknown
 * fields of known parts, so only the parts and fields of the first version (5.0) are written.
 *
 * @see https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol#data-stream-protocol
 */
export const uiMessageStream: Protocol = {
  ...EVENT_STREAM,
  headers: { 'x-vercel-ai-ui-message-stream': 'v1' },
  inlinesData: false,
  maxTextLength: Number.POSITIVE_INFINITY,
  refusal: refuseAsText,

  /**
   * Reads `{id, messages, sessionId?, agentId?, payload?}`. A request may have a single `message` instead of
   * `messages`, because the history may be too long for a request.
   */
  readRequest(body, options) {
    const messages = Array.isArray(body.messages) ? body.messages : [body.message];
    const session = conversationSession({ named: body.sessionId, conversation: body.id, messages });
    const message = lastMessage(messages);
    const field = body.messages === undefined ? 'message' : 'messages';
    if (message?.role !== 'user') {
      throw wrongField(session, field, 'a last message of the role "user"', message ? 'another' : undefined);
    }
    return {
      ...session,
      ...namedAgent(session, options, body.agentId),
      ...readPrompt(session, field, textOf(message.parts ?? message.content), options),
      ...readPayload(session, body.payload),
    };
  },

  createWriter: ({ requestId, sessionId, sessionReplaced }: AnswerContext): ProtocolWriter => {
    let stretches = 0;
    const parts = createParts({ nextId: () => String(stretches++) });
    const written = (all: Part[]) => all.map(write).join('');
    return {
      open() {
        const messageMetadata = { sessionId, ...(sessionReplaced && { sessionReplaced }) };
        // The message id is new, because the client overwrites a message of the same id.
        return (
          sseEvent({ type: 'start', messageId: requestId, messageMetadata }) +
          sseEvent({ type: 'start-step' })
        );
      },
      event: (event) => written(parts.of(event)),
      done({ usage, stopped }) {
        const end = stopped
          ? { type: 'abort' }
          : { type: 'finish', ...(usage && { messageMetadata: { usage } }) };
        const rest = written(parts.close(() => false));
        return `${rest}${sseEvent({ type: 'finish-step' })}${sseEvent(end)}${DONE}`;
      },
      fail: (error) =>
        // The client takes a stream that breaks off without an error part for a complete answer.
        written(parts.closeText()) +
        sseEvent({ type: 'error', errorText: errorSentence(error, requestId) }) +
        DONE,
    };
  },
};

const DONE = 'data: [DONE]\n\n';

/** Fields of every tool's part: the UI need not know the tool (`dynamic`), and the browser must not run it. */
const OF_THE_AGENT = { dynamic: true, providerExecuted: true };

function write(part: Part): string {
  switch (part.type) {
    case 'delta':
      return `data: {"type":"${part.kind}-delta","id":"${part.id}","delta":${jsonLine(part.text)}}\n\n`;
    case 'start':
    case 'end':
      return `data: {"type":"${part.kind}-${part.type}","id":"${part.id}"}\n\n`;
    case 'callStart':
      return tool('input-start', part.id, { toolName: part.name, ...OF_THE_AGENT });
    case 'callInput':
      return tool('input-delta', part.id, { inputTextDelta: part.delta });
    case 'callEnd':
      return tool('input-available', part.id, {
        toolName: part.name,
        input: parsed(part.input),
        ...OF_THE_AGENT,
      });
    case 'callResult':
      return part.isError
        ? tool('output-error', part.id, { errorText: asText(part.output), ...OF_THE_AGENT })
        : tool('output-available', part.id, { output: part.output ?? null, ...OF_THE_AGENT });
    case 'interrupt': {
      const { type: _type, ...question } = part;
      return safeEvent({ type: 'data-interrupt', id: part.id, data: question });
    }
    case 'data':
      return safeEvent(
        partOfAgent(part) ?? { type: `data-${part.name ?? 'agent'}`, data: part.value ?? null },
      );
  }
}

function tool(state: string, toolCallId: string, fields: object): string {
  return safeEvent({ type: `tool-${state}`, toolCallId, ...fields });
}

const SUSPECT_KEY = /"(__proto__|constructor)":/;

/**
 * Writes an event without keys that could change the prototype of the client's objects, because the client would end
 * the answer at such a key. The rest of the value is kept.
 */
function safeEvent(event: object): string {
  const written = sseEvent(event);
  if (!SUSPECT_KEY.test(written)) return written;
  const safe = JSON.parse(JSON.stringify(event), (key, value) =>
    key === '__proto__' || (key === 'constructor' && isObject(value) && Object.hasOwn(value, 'prototype'))
      ? undefined
      : value,
  );
  return sseEvent(safe);
}

/** Parses a tool's input. A tool without parameters is often called with no input at all. */
function parsed(input: string): unknown {
  if (input.trim() === '') return {};
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

function asText(output: unknown): string {
  return typeof output === 'string' ? output : (JSON.stringify(output) ?? '');
}

/** The parts of an agent with the same SDK that no kind of AnswerEvent expresses, with their fields. */
const PARTS: Record<string, { required: readonly string[]; optional: readonly string[] }> = {
  'source-url': { required: ['sourceId', 'url'], optional: ['title'] },
  'source-document': { required: ['sourceId', 'mediaType', 'title'], optional: ['filename'] },
  file: { required: ['url', 'mediaType'], optional: [] },
};

/** Returns the agent's own part, without fields that a strict client does not know; undefined for other data. */
function partOfAgent({ name = '', value, raw }: DataEvent): object | undefined {
  if (name.startsWith('data-')) {
    const sent = parseJson(raw);
    const { id, transient }: JsonObject = isObject(sent) ? sent : {};
    return {
      type: name,
      ...(typeof id === 'string' && { id }),
      data: value ?? null,
      ...(typeof transient === 'boolean' && { transient }),
    };
  }
  if (!isObject(value) || value.type !== name) return undefined;
  const fields = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (!fields?.required.every((key) => typeof value[key] === 'string')) return undefined;
  const kept = [...fields.required, ...fields.optional].filter((key) => typeof value[key] === 'string');
  return { type: name, ...Object.fromEntries(kept.map((key) => [key, value[key]])) };
}
