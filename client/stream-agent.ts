import { createBodyReader, unlessAborted } from './body.ts';
import { AgentError, type AgentErrorCode, detailsOf, errorOfResponse, parseObject } from './errors.ts';
import { type AgentEvent, type DoneEvent, type StartEvent, typedEvent } from './events.ts';
import { createSseReader } from './sse.ts';

export * from './errors.ts';
export type * from './events.ts';

export interface StreamAgentOptions {
  /** A configured id, name or runtime ARN. */
  agentId: string;
  prompt: string;
  /** Continues a session; without one the service makes one and says it in every event that names it. */
  sessionId?: string | undefined;
  /** Further keys for the agent, where its entry allows them: files, or the reply to an interrupt. */
  payload?: Record<string, unknown>;
  /** Cancels the request. The iteration then throws the signal's reason, an AbortError by default. */
  signal?: AbortSignal | undefined;
  /** Sends the request: one that signs with SigV4, or adds a header. @default globalThis.fetch */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

/** Failures of Node's fetch that happen before anything is sent; a browser does not tell. */
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'];

/**
 * Sends a prompt and yields the answer as it arrives: `start`, any number of `chunk` and of the typed events, `done`.
 *
 * Nothing is sent before the first event is asked for. Leaving the loop closes the connection. Nothing is ever
 * sent twice, and no redirect followed: see {@link AgentError.retryable} for when sending again is safe.
 *
 * @param url the Function URL, or a path on it that answers invoke requests
 * @throws AgentError for every failure: a status, an error event, a stream that breaks off, no answer
 * @throws the reason of `signal` once that is aborted
 * @throws TypeError of `fetch` for a URL that is none
 */
export async function* streamAgent(
  url: string | URL,
  { agentId, prompt, sessionId, payload, signal, fetch = globalThis.fetch }: StreamAgentOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  const response = await send(String(url), { agentId, prompt, sessionId, payload }, fetch, signal);
  if (!response.ok) throw await errorOfResponse(response, signal);
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
  const readSse = createSseReader();
  let text = '';
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
          text += event.chunk;
          yield { type: 'chunk', text: event.chunk };
        } else if (event.done) {
          ended = true;
          yield doneEvent(event, context, text);
          return;
        } else if (event.error) {
          ended = true;
          throw errorOfEvent(event, { ...context, partialText: text });
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
    // After the closing event only the end of the body is left.
    if (ended) reader.finish();
    else reader.cancel();
  }
  throw new AgentError({
    ...context,
    code: 'StreamTruncated',
    message: 'the connection was lost before the answer was complete',
    retryable: false,
    promptSent: true,
    partialText: text,
    cause,
  });
}

async function send(
  url: string,
  body: object,
  fetch: NonNullable<StreamAgentOptions['fetch']>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  signal?.throwIfAborted();
  // Asked before: a request that was under way when the network went may have arrived.
  const offline = globalThis.navigator?.onLine === false;
  let answer: Promise<Response> | undefined;
  try {
    answer = fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
      body: JSON.stringify(body),
      signal: signal ?? null,
      // Followed, it would send the prompt again.
      redirect: 'manual',
    });
    return await unlessAborted(answer, signal);
  } catch (cause) {
    if (signal?.aborted) {
      // A fetch that does not know of it may still get an answer, which nobody waits for.
      answer?.then((late) => late.body?.cancel()).catch(() => {});
      throw signal.reason;
    }
    if (!isRequestable(url)) throw cause;
    const { code } = ((cause as Error | null)?.cause ?? {}) as { code?: string };
    const notSent = offline || NOT_SENT.includes(code ?? '');
    throw new AgentError({
      code: 'NetworkError',
      message: 'no answer from the server',
      retryable: notSent,
      promptSent: !notSent,
      cause,
    });
  }
}

/** Whether the platform can make a request of it: else the caller's URL is at fault, not the network. */
function isRequestable(url: string): boolean {
  try {
    return Boolean(new Request(url));
  } catch {
    return false;
  }
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

/** Those of the named members that are there. */
function stringsOf<Key extends string>(event: WireEvent, ...keys: Key[]): Partial<Record<Key, string>> {
  const found = keys.filter((key) => typeof event[key] === 'string').map((key) => [key, event[key]]);
  return Object.fromEntries(found) as Partial<Record<Key, string>>;
}
