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
 * AG-UI, which CopilotKit and assistant-ui speak. Clients of the release 0.0.59 take neither an event that is younger
 * nor `null` in an optional field, and what is said beside the events' own fields stands in `metadata`.
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

/** A RunAgentInput. `sessionId`, `agentId` and `payload` may stand in its `forwardedProps`. */
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

/** What is asked: the last message, or the reply to an interrupt. */
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
  // The agent reads the run itself, in which there may be more than text.
  if (text === '' && takesRun && (isReply || message?.role === 'user' || message?.role === 'tool')) {
    return { prompt: '', promptBytes: 0 };
  }
  // A browser has run a tool of its own, of which an agent that takes a prompt alone has never known.
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

/** What the user replied to interrupts, for an agent that takes a prompt alone. */
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

/** CopilotKit asks for suggestions in runs of their own, each of which would start a session that is billed. */
function isSuggestion({ toolChoice }: JsonObject): boolean {
  const chosen = isObject(toolChoice) ? toolChoice.function : undefined;
  return isObject(chosen) && chosen.name === 'copilotkitSuggest';
}

function createWriter({ requestId, sessionId, run = {}, clientTools = [] }: AnswerContext): ProtocolWriter {
  const threadId = typeof run.threadId === 'string' ? run.threadId : sessionId;
  const runId = typeof run.runId === 'string' ? run.runId : requestId;
  // Of the conversation: a client adds to the message of the same id.
  let messages = 0;
  const nextId = () => `${requestId}-${++messages}`;
  const earlierCalls = callIds(run.messages);
  const parts = createParts({ nextId, isTaken: (id) => earlierCalls.has(id) });
  /** The message that calls belong to: what was said before them, up to a result. */
  let parent: string | undefined;
  const steps = new Set<unknown>();
  const interrupts: object[] = [];
  const awaited = new Set<unknown>();
  // A client returns it with the next request.
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
    // Messages that are open are not among those that take the place of all: what follows goes into new ones.
    const rest = written(parts.close(() => true));
    parent = undefined;
    return rest + sseEvent(event);
  };
  /** A step that begins twice, or ends without a beginning, breaks the client. */
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
      // Without a result the client runs a tool of its own of that name, and then the agent again.
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
    // What is open stays so: the client expects nothing after it.
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
