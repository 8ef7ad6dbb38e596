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
  /** Continues a session; without one the service makes one and says it in every event that names it. */
  sessionId?: string | undefined;
  /** Further keys for the agent, where its entry allows them: files, or the reply to an interrupt. */
  payload?: Record<string, unknown>;
}

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
export function streamAgent(
  url: string | URL,
  options: StreamAgentOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  return streamNoting(url, options, { text: '' });
}

/** The same, noting how far the answer has been read. */
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
