import { streamReconnecting } from '../../client/resume.ts';
import { createSession, stopAnswer } from '../../client/sessions.ts';
import { type AgentEvent, type StreamAgentOptions, streamAgent } from '../../client/stream-agent.ts';
import { newSessionId } from './agents.ts';

/** What a page remembers of its session when it is loaded again. */
export interface RememberedSession {
  agentId: string;
  sessionId: string;
  /** Of the last answer. */
  prompt: string;
}

const KEY = 'session';
const service = new URL('/', location.href);

/** Whether the service keeps sessions, which the server of the page knows. */
export const keepsSessions = document.documentElement.dataset.sessions === 'kept';

export function remember(session: RememberedSession): void {
  if (keepsSessions) sessionStorage.setItem(KEY, JSON.stringify(session));
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

export function recall(): RememberedSession | undefined {
  const kept = keepsSessions ? sessionStorage.getItem(KEY) : null;
  return kept === null ? undefined : (JSON.parse(kept) as RememberedSession);
}

/** An answer; where sessions are kept it is read on when the connection is lost. */
export function streamFrom(
  options: StreamAgentOptions & { sessionId: string },
  previousRequestId: string | null,
): AsyncIterable<AgentEvent> {
  return keepsSessions
    ? streamReconnecting(service, { ...options, previousRequestId })
    : streamAgent(service, options);
}

/** Asks for the end of an answer where it is written; false where that cannot be done. */
export async function stopThere(agentId: string, sessionId: string): Promise<boolean> {
  if (!keepsSessions) return false;
  return stopAnswer(service, { agentId, sessionId }).catch(() => false);
}

/** A session that starts while its first prompt is written. */
export interface WarmUp {
  agentId: string;
  sessionId: string;
  /** How long its start took; undefined as long as it has not started, and where it could not be. */
  startMs?: number;
}

/** Starts a session for an agent; the prompt does not wait for it. */
export function warmUp(agentId: string): WarmUp {
  const starting: WarmUp = { agentId, sessionId: newSessionId() };
  createSession(service, starting).then(
    ({ startMs }) => {
      starting.startMs = startMs;
    },
    () => {},
  );
  return starting;
}
