import type {
  AnswerContext,
  InvokeRequest,
  Protocol,
  ProtocolWriter,
  ReadOptions,
} from '../answer/protocol.ts';
import type { ContentEvent, DataEvent } from '../events.ts';
import { isObject, type JsonObject } from '../framing/document.ts';
import { interruptOf, passedOn } from './ag-ui-events.ts';
import { conversationSession, lastMessage, type ReadSession, textOf } from './conversation.ts';
import { describe, namedAgent, readPayload, readPrompt, wrongField } from './fields.ts';
import { errorSentence, refuseAsText } from './kit-errors.ts';
import { createParts, type Part } from './parts.ts';
import { EVENT_STREAM, sseEvent } from './sse-event.ts';

/**
 * AG-UI, the protocol of CopilotKit and assistant-ui. Clients of the release 0.0.59 refuse the events of later releases
 * and `null` in an optional field. Information that has no field in an event stands in its `metadata`.
 *
 * @see https://docs.ag-ui.com/concepts/events
 */
export const agUi: Protocol = {
  ...EVENT_STREAM,
  inlinesData: false,
  maxTextLength: Number.POSITIVE_INFINITY,
  refusal: refuseAsText,
  readRequest,
  createWriter,
};

/** Reads a RunAgentInput. Its `forwardedProps` may contain `sessionId`, `agentId` and `payload`. */
function readRequest(body: JsonObject, options: ReadOptions): InvokeRequest {
  const props = isObject(body.forwardedProps) ? body.forwardedProps : {};
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const named = body.sessionId ?? props.sessionId;
  const session = conversationSession({ named, conversation: body.threadId, messages });
  if (!Array.isArray(body.messages)) {
    throw wrongField(session, 'messages', 'an array', describe(body.messages));
  }
  const agent = namedAgent(session, options, body.agentId, props.agentId);
  const takesRun = options.takesRun(agent.agentId);
  return {
    ...session,
    ...agent,
    ...promptOf(body, messages, session, options, takesRun),
    ...readPayload(session, props.payload),
    run: body,
    ...(takesRun && { clientTools: toolNames(body.tools) }),
    ...(isSuggestion(props) && { isIdle: true }),
  };
}

/** Returns the prompt, which is the last message or the reply to an interrupt. */
function promptOf(
  { resume }: JsonObject,
  messages: readonly unknown[],
  session: ReadSession,
  options: ReadOptions,
  takesRun: boolean,
): Pick<InvokeRequest, 'prompt' | 'promptBytes' | 'isIdle'> {
  const message = lastMessage(messages);
  const isReply = Array.isArray(resume) && resume.length > 0;
  const text = message?.role === 'user' ? textOf(message.content) : isReply ? replyOf(resume) : '';
  // An agent that takes the run reads the message itself, which may have other content than text.
  if (text === '' && takesRun && (isReply || message?.role === 'user' || message?.role === 'tool')) {
    return { prompt: '', promptBytes: 0 };
  }
  // The message is the result of a tool in the browser. An agent that takes only a prompt does not know such tools, so
  // there is nothing to ask it.
  if (message?.role === 'tool' && !isReply) return { prompt: '', promptBytes: 0, isIdle: true };
  if (message?.role !== 'user' && !isReply) {
    throw wrongField(
      session,
      'messages',
      'a last message of the role "user"',
      message ? 'another' : undefined,
    );
  }
  return readPrompt(session, 'messages', text, options);
}

/** Returns the user's replies to interrupts as text, for an agent that takes only a prompt. */
function replyOf(resume: readonly unknown[]): string {
  return resume
    .map((entry) => {
      const { payload, status }: JsonObject = isObject(entry) ? entry : {};
      if (typeof payload === 'string') return payload;
      return payload === undefined || payload === null ? String(status ?? '') : JSON.stringify(payload);
    })
    .join('\n');
}

function toolNames(tools: unknown): string[] {
  if (!Array.isArray(tools)) return [];
  return tools
    .map((tool) => (isObject(tool) ? tool.name : undefined))
    .filter((name) => typeof name === 'string');
}

/**
 * Whether CopilotKit asks for suggestions. It does so in separate runs, and each would start a session that is billed.
 */
function isSuggestion({ toolChoice }: JsonObject): boolean {
  const chosen = isObject(toolChoice) ? toolChoice.function : undefined;
  return isObject(chosen) && chosen.name === 'copilotkitSuggest';
}

function createWriter({ requestId, sessionId, run = {}, clientTools = [] }: AnswerContext): ProtocolWriter {
  const threadId = typeof run.threadId === 'string' ? run.threadId : sessionId;
  const runId = typeof run.runId === 'string' ? run.runId : requestId;
  // Message ids must be unique in the conversation, because a client appends to an existing message of the same id.
  let messages = 0;
  const nextId = () => `${requestId}-${++messages}`;
  const earlierCalls = callIds(run.messages);
  const parts = createParts({ nextId, isTaken: (id) => earlierCalls.has(id) });
  /** The id of the message that tool calls belong to: the text before them. A tool result ends that message. */
  let parent: string | undefined;
  const steps = new Set<unknown>();
  const interrupts: object[] = [];
  const awaited = new Set<unknown>();
  // The client returns the metadata with its next request.
  const metadata = { sessionId };

  const write = (part: Part): string => {
    switch (part.type) {
      case 'start':
        if (part.kind === 'text') {
          parent = part.id;
          return sseEvent({ type: 'TEXT_MESSAGE_START', messageId: part.id, role: 'assistant', metadata });
        }
        return (
          sseEvent({ type: 'REASONING_START', messageId: part.id }) +
          sseEvent({ type: 'REASONING_MESSAGE_START', messageId: part.id, role: 'reasoning', metadata })
        );
      case 'delta':
        return sseEvent({ type: `${MESSAGE[part.kind]}_CONTENT`, messageId: part.id, delta: part.text });
      case 'end': {
        const end = sseEvent({ type: `${MESSAGE[part.kind]}_END`, messageId: part.id });
        return part.kind === 'text' ? end : end + sseEvent({ type: 'REASONING_END', messageId: part.id });
      }
      case 'callStart':
        parent ??= nextId();
        return sseEvent({
          type: 'TOOL_CALL_START',
          toolCallId: part.id,
          toolCallName: part.name,
          parentMessageId: parent,
          metadata,
        });
      case 'callInput':
        return sseEvent({ type: 'TOOL_CALL_ARGS', toolCallId: part.id, delta: part.delta });
      case 'callEnd':
        return sseEvent({ type: 'TOOL_CALL_END', toolCallId: part.id });
      case 'callResult':
        parent = undefined;
        return sseEvent({
          type: 'TOOL_CALL_RESULT',
          messageId: nextId(),
          toolCallId: part.id,
          content: asText(part.output),
          role: 'tool',
          ...(part.isError && { metadata: { isError: true } }),
        });
      case 'interrupt':
        interrupts.push(interruptOf(part, awaited));
        return '';
      case 'data':
        return writeData(part);
    }
  };
  const writeData = (data: DataEvent): string => {
    const event = passedOn(data, sessionId);
    if (event === undefined) {
      return sseEvent({ type: 'CUSTOM', name: data.name ?? 'data', value: data.value ?? null });
    }
    if (event.type !== 'MESSAGES_SNAPSHOT') return isOrderly(event) ? sseEvent(event) : '';
    // The snapshot replaces all messages and lacks the open ones: they are closed, and later text goes into new
    // messages.
    const rest = written(parts.close(() => true));
    parent = undefined;
    return rest + sseEvent(event);
  };
  /**
   * Whether an event keeps steps in order: a step that begins twice, or ends without a beginning, breaks the client.
   */
  const isOrderly = ({ type, stepName }: JsonObject): boolean => {
    if (type === 'STEP_FINISHED') return steps.delete(stepName);
    if (type !== 'STEP_STARTED') return true;
    if (steps.has(stepName)) return false;
    steps.add(stepName);
    return true;
  };
  const written = (all: Part[]) => all.map(write).join('');

  return {
    open: () => sseEvent({ type: 'RUN_STARTED', threadId, runId }),
    event: (event: ContentEvent) => written(parts.of(event)),
    done({ usage }) {
      // A call of a client's tool stays without a result, so that the client runs the tool and then the agent again.
      const rest = written(parts.close(({ id, name }) => clientTools.includes(name) || awaited.has(id)));
      const open = [...steps].map((stepName) => sseEvent({ type: 'STEP_FINISHED', stepName })).join('');
      const end = sseEvent({
        type: 'RUN_FINISHED',
        threadId,
        runId,
        ...(interrupts.length > 0 && { outcome: { type: 'interrupt', interrupts } }),
        ...(usage && { usage: [usage] }),
      });
      return rest + open + end;
    },
    // Open messages and calls are not closed, because the client expects no event but the error.
    fail: (error) =>
      sseEvent({
        type: 'RUN_ERROR',
        message: errorSentence(error, requestId),
        code: error.code,
        metadata: { requestId, sessionId, retryable: error.retryable, promptSent: error.promptSent },
      }),
  };
}

const MESSAGE = { text: 'TEXT_MESSAGE', reasoning: 'REASONING_MESSAGE' };

function callIds(messages: unknown): ReadonlySet<unknown> {
  const ids = new Set<unknown>();
  for (const message of Array.isArray(messages) ? messages : []) {
    const calls = isObject(message) && Array.isArray(message.toolCalls) ? message.toolCalls : [];
    for (const call of calls) if (isObject(call)) ids.add(call.id);
  }
  return ids;
}

function asText(output: unknown): string {
  return typeof output === 'string' ? output : (JSON.stringify(output) ?? '');
}
