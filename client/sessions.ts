import { errorOfResponse } from './errors.ts';
import { type SendOptions, send } from './send.ts';

/** A session of an agent. docs/sessions.md says which functions need a service that keeps sessions. */
export interface SessionOptions extends SendOptions {
  /** A configured id, name or runtime ARN. */
  agentId: string;
  sessionId: string;
}

/** A started session. */
export interface CreatedSession {
  sessionId: string;
  agentId: string;
  /** How long the start took, in milliseconds. The first answer comes sooner by this time. */
  startMs: number;
}

/**
 * Starts a session before its first prompt, for example when a page opens or at the first keystroke. The first answer
 * then need not wait for the start.
 *
 * @param url the Function URL, or any address on it
 * @throws AgentError, with `NotFound` when the service does not let callers start sessions
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
 * Stops the running answer of a session, also when another client asked for it. The answer's stream keeps the text so
 * far and ends with a `done` that has `stopped`.
 *
 * @returns whether an answer was running
 * @throws AgentError, with `NotFound` when the service keeps no sessions
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
 * Ends a session. The agent then forgets the conversation.
 *
 * @returns whether the session existed
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
