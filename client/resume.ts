import { type Progress, readAnswer } from './answer.ts';
import { AgentError, errorOfResponse } from './errors.ts';
import type { AgentEvent } from './events.ts';
import { send } from './send.ts';
import { type SessionOptions, sessionPath } from './sessions.ts';
import { type StreamAgentOptions, streamNoting } from './stream-agent.ts';

/** The most attempts in a row that bring nothing new. Together they take about half a minute. */
const MAX_ATTEMPTS = 7;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;

export interface ReconnectOptions extends StreamAgentOptions {
  sessionId: string;
  /**
   * The `requestId` of the session's previous answer, or null if there is none. With this option, the new answer is
   * found again even if the connection is lost before its first event.
   */
  previousRequestId?: string | null | undefined;
}

/**
 * Does the same as `streamAgent`, and continues reading by itself when the connection is lost. The prompt is sent once,
 * and no event is yielded twice. The service must keep sessions; otherwise a lost connection throws as in
 * `streamAgent`.
 */
export async function* streamReconnecting(
  url: string | URL,
  { previousRequestId, ...options }: ReconnectOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  const progress: Progress = { text: '' };
  try {
    return yield* streamNoting(url, options, progress);
  } catch (error) {
    const isFindable = progress.id !== undefined || previousRequestId !== undefined;
    if (!isLoss(error) || !error.promptSent || !isFindable) throw error;
    yield* follow(url, options, progress, error, previousRequestId);
  }
}

/**
 * Reads the running or the last answer of a session from its beginning to its end. A reloaded page needs only the
 * session id for it. Yields nothing when the session has no answer.
 *
 * @throws AgentError, with `NotFound` when the service keeps no sessions
 */
export function resumeAnswer(
  url: string | URL,
  options: SessionOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  return follow(url, options, { text: '' });
}

/**
 * Reads an answer from where `progress` stands, with further attempts while the service is away.
 *
 * @param lost the loss of the connection; it is thrown when the answer is not found
 */
async function* follow(
  url: string | URL,
  options: SessionOptions,
  progress: Progress,
  lost?: AgentError,
  previousRequestId?: string | null,
): AsyncGenerator<AgentEvent, void, undefined> {
  let loss = lost;
  for (let attempt = 0; ; attempt += 1) {
    if (loss) await pause(attempt, options.signal);
    const { id } = progress;
    const address = new URL(`${sessionPath(options)}/stream`, url);
    if (id !== undefined) address.searchParams.set('after', id);
    try {
      const response = await send(String(address), { method: 'GET' }, options);
      if (!response.ok) throw await errorOfResponse(response, options.signal);
      if (response.status !== 204) {
        for await (const event of readAnswer(response, progress, options.signal)) {
          // The session's last answer is still the previous one: the prompt has not arrived.
          if (lost && event.type === 'start' && event.requestId === previousRequestId) throw lost;
          yield event;
        }
        return;
      }
      if (!lost) return;
      // When the connection was lost before the first event, the answer may not have begun yet.
      if (id !== undefined || attempt + 1 >= MAX_ATTEMPTS) throw lost;
    } catch (error) {
      if (error === lost || !isLoss(error)) throw lost && isAbsent(error) ? lost : error;
      if (progress.id !== id) attempt = -1;
      if (attempt + 1 >= MAX_ATTEMPTS) throw error;
      loss = error;
    }
  }
}

/** Whether an error means that the network or the service is away for some time. The answer may go on meanwhile. */
function isLoss(error: unknown): error is AgentError {
  if (!(error instanceof AgentError)) return false;
  // An error event in a stream (status 200) is the end of the answer itself.
  const isAway = error.retryable && error.status !== 200;
  return error.code === 'NetworkError' || error.code === 'StreamTruncated' || isAway;
}

function isAbsent(error: unknown): boolean {
  return error instanceof AgentError && error.code === 'NotFound';
}

/** Waits longer with each attempt. The random part keeps clients from returning at the same moment. */
function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const longestMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      longestMs * (0.5 + Math.random() / 2),
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
