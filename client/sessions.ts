import { errorOfResponse } from './errors.ts';
import { type SendOptions, send } from './send.ts';

/** A session of an agent; see docs/sessions.md for what a service that keeps none does not have. */
export interface SessionOptions extends SendOptions {
  /** A configured id, name or runtime ARN. */
  agentId: string;
  sessionId: string;
}

/** A session that has been started. */
export interface CreatedSession {
  sessionId: string;
  agentId: string;
  /** How long it took to start: so much sooner comes the first answer. */
  startMs: number;
}

/**
 * Starts a session before its first prompt, when a page opens or at the first keystroke: its first answer then finds it
 * up.
 *
 * @param url the Function URL, or any address on it
 * @throws AgentError; `NotFound` where the service does not let callers do this
 */
export async function createSession(
  url: string | URL,
  { agentId, sessionId, ...options }: Omit<SessionOptions, 'sessionId'> & { sessionId?: string | undefined },
): Promise<CreatedSession> {
  const headers = { 'Content-Type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify({ sessionId }) };
  return (await ask(
    `/api/agents/${encodeURIComponent(agentId)}/sessions`,
    url,
    init,
    options,
  )) as CreatedSession;
}

/**
 * Stops the running answer of a session, wherever it was asked for. Its stream ends with what the agent has said, and
 * `stopped` in its `done`.
 *
 * @returns whether one was running
 * @throws AgentError; `NotFound` where the service keeps no sessions
 */
export async function stopAnswer(url: string | URL, options: SessionOptions): Promise<boolean> {
  const { stopped } = await ask<{ stopped: boolean }>(
    `${sessionPath(options)}/stop`,
    url,
    { method: 'POST' },
    options,
  );
  return stopped;
}

/**
 * Ends a session: what the agent remembers in it is gone.
 *
 * @returns whether there was one
 */
export async function endSession(url: string | URL, options: SessionOptions): Promise<boolean> {
  const { ended } = await ask<{ ended: boolean }>(sessionPath(options), url, { method: 'DELETE' }, options);
  return ended;
}

export function sessionPath({ agentId, sessionId }: SessionOptions): string {
  return `/api/agents/${encodeURIComponent(agentId)}/sessions/${encodeURIComponent(sessionId)}`;
}

async function ask<Answer>(
  path: string,
  url: string | URL,
  init: RequestInit,
  options: SendOptions,
): Promise<Answer> {
  const response = await send(String(new URL(path, url)), init, options);
  if (!response.ok) throw await errorOfResponse(response, options.signal);
  return (await response.json()) as Answer;
}
