import { type Progress, readAnswer } from './answer.ts';
import { errorOfResponse } from './errors.ts';
import type { AgentEvent } from './events.ts';
import { type SendOptions, send } from './send.ts';

export * from './errors.ts';
export type * from './events.ts';

export interface StreamAgentOptions extends SendOptions {
  /** A configured id, name or runtime ARN. */
  agentId: string;
  prompt: string;
  /** The session to continue. Without it the service makes a new session, and the events `start` and `done` name it. */
  sessionId?: string | undefined;
  /** Further keys for the agent if its entry allows them, such as files or the reply to an interrupt. */
  payload?: Record<string, unknown>;
}

/**
 * Sends a prompt and yields the answer as it arrives: `start`, any number of `chunk` and of the typed events, `done`.
 *
 * The request is sent when the first event is asked for. Leaving the loop closes the connection. The prompt is never
 * sent twice, and no redirect is followed: {@link AgentError.retryable} says when sending it again is safe.
 *
 * @param url the Function URL, or a path on it that answers invoke requests
 * @throws AgentError for every failure: a status, an error event, a stream that breaks off, no answer
 * @throws the reason of `signal` once the signal is aborted
 * @throws the TypeError of `fetch` for an invalid URL
 */
export function streamAgent(
  url: string | URL,
  options: StreamAgentOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  return streamNoting(url, options, { text: '' });
}

/** Does the same, and notes in `progress` how far the answer has been read. */
export async function* streamNoting(
  url: string | URL,
  { agentId, prompt, sessionId, payload, ...options }: StreamAgentOptions,
  progress: Progress,
): AsyncGenerator<AgentEvent, void, undefined> {
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify({ agentId, prompt, sessionId, payload }),
  };
  const response = await send(String(url), init, options);
  if (!response.ok) throw await errorOfResponse(response, options.signal);
  yield* readAnswer(response, progress, options.signal, sessionId);
}
