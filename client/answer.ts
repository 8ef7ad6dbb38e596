import { createBodyReader } from './body.ts';
import { AgentError, type AgentErrorCode, detailsOf, parseObject } from './errors.ts';
import { type AgentEvent, type DoneEvent, type StartEvent, typedEvent } from './events.ts';
import { createSseReader } from './sse.ts';

/** How far an answer has been read, over all connections that were needed for it. */
export interface Progress {
  /** The id of the last event. Only a service that keeps sessions sends ids. */
  id?: string | undefined;
  /** The text so far. */
  text: string;
}

/**
 * Reads the events of an answer from a response, and notes the progress. Leaving the loop closes the connection.
 *
 * @param sessionId the session of the request, for a response that does not name its session
 * @throws AgentError for an error event, a stream that breaks off, a response that is no event stream
 * @throws the reason of `signal` once the signal is aborted
 */
export async function* readAnswer(
  response: Response,
  progress: Progress,
  signal: AbortSignal | undefined,
  sessionId?: string | undefined,
): AsyncGenerator<AgentEvent, void, undefined> {
  const { status, headers, body } = response;
  let context: AnswerContext = {
    status,
    sessionId: headers.get('x-session-id') ?? sessionId,
    requestId: headers.get('x-amzn-requestid') ?? undefined,
  };
  if (!body || !/^text\/event-stream\b/i.test(headers.get('content-type') ?? '')) {
    body?.cancel().catch(() => {});
    throw new AgentError({
      ...context,
      code: 'UnexpectedResponse',
      message: `expected text/event-stream, got ${headers.get('content-type') ?? 'no body'}`,
      retryable: false,
      promptSent: true,
    });
  }

  const reader = createBodyReader(body, signal);
  const readSse = createSseReader((id) => {
    progress.id = id;
  });
  let ended = false;
  let cause: unknown;
  try {
    for (;;) {
      const received = await reader.read().catch((error: unknown) => {
        signal?.throwIfAborted();
        cause = error;
      });
      if (received === undefined) break;
      for (const data of readSse(received)) {
        const event = parseObject(data);
        if (!event) continue;
        if (typeof event.chunk === 'string') {
          progress.text += event.chunk;
          yield { type: 'chunk', text: event.chunk };
        } else if (event.done) {
          ended = true;
          yield doneEvent(event, context, progress.text);
          return;
        } else if (event.error) {
          ended = true;
          throw errorOfEvent(event, { ...context, partialText: progress.text });
        } else if (event.start) {
          context = { ...context, ...stringsOf(event, 'sessionId', 'requestId') };
          yield startEvent(event);
        } else {
          const typed = typedEvent(event);
          if (typed) yield typed;
        }
        signal?.throwIfAborted();
      }
    }
  } finally {
    // The body has no more data after the closing event, so its connection can be reused.
    if (ended) reader.finish();
    else reader.cancel();
  }
  throw new AgentError({
    ...context,
    code: 'StreamTruncated',
    message: 'the connection was lost before the answer was complete',
    retryable: false,
    promptSent: true,
    partialText: progress.text,
    cause,
  });
}

interface AnswerContext {
  status: number;
  sessionId: string | undefined;
  requestId: string | undefined;
}

type WireEvent = Record<string, unknown>;

function startEvent({ sessionId, agentId, requestId, sessionReplaced }: WireEvent): StartEvent {
  return {
    type: 'start',
    sessionId,
    agentId,
    requestId,
    ...(sessionReplaced === true && { sessionReplaced }),
  } as StartEvent;
}

function doneEvent(
  { sessionId, chunks, bytes, durationMs, interrupted, stopped }: WireEvent,
  context: AnswerContext,
  text: string,
): DoneEvent {
  return {
    type: 'done',
    sessionId: sessionId ?? context.sessionId,
    chunks,
    bytes,
    durationMs,
    ...(interrupted === true && { interrupted }),
    ...(stopped === true && { stopped }),
    text,
  } as DoneEvent;
}

function errorOfEvent(event: WireEvent, context: AnswerContext & { partialText: string }): AgentError {
  return new AgentError({
    ...context,
    ...stringsOf(event, 'sessionId', 'requestId'),
    code: (event.code ?? 'AgentFailed') as AgentErrorCode,
    message: String(event.error),
    retryable: event.retryable === true,
    promptSent: event.promptSent !== false,
    details: detailsOf(event.details),
  });
}

/** Returns those of the named members of an event that are text. */
function stringsOf<Key extends string>(event: WireEvent, ...keys: Key[]): Partial<Record<Key, string>> {
  const found = keys.filter((key) => typeof event[key] === 'string').map((key) => [key, event[key]]);
  return Object.fromEntries(found) as Partial<Record<Key, string>>;
}
