import { type Progress, readAnswer } from './answer.ts';
import { AgentError, errorOfResponse } from './errors.ts';
import type { AgentEvent } from './events.ts';
import { send } from './send.ts';
import { type SessionOptions, sessionPath } from './sessions.ts';
import { type StreamAgentOptions, streamNoting } from './stream-agent.ts';

/** Attempts in a row that bring nothing new; together they take about half a minute. */
const MAX_ATTEMPTS = 7;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;

export interface ReconnectOptions extends StreamAgentOptions {
  sessionId: string;
  /**
   * `requestId` of the session's answer before this one, null where it has none. With it a request that is lost before
   * its first event is looked for as well.
   */
  previousRequestId?: string | null | undefined;
}

/**
 * As `streamAgent`, and reads on by itself where the connection is lost: the prompt is sent once, and nothing comes twice.
 * It needs a service that keeps sessions; of another one the loss is thrown as `streamAgent` throws it.
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
 * Reads the running or the last answer of a session from its beginning, and on as long as it runs: after a reload the
 * session id is enough. Yields nothing where there is none.
 *
 * @throws AgentError; `NotFound` where the service keeps no sessions
 */
export function resumeAnswer(
  url: string | URL,
  options: SessionOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  return follow(url, options, { text: '' });
}

/** @param lost what is thrown where nothing of the answer is found */
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
          // An answer that was there before: the prompt has not arrived.
          if (lost && event.type === 'start' && event.requestId === previousRequestId) throw lost;
          yield event;
        }
        return;
      }
      if (!lost) return;
      // A request that was lost early may not have begun to be answered.
      if (id !== undefined || attempt + 1 >= MAX_ATTEMPTS) throw lost;
    } catch (error) {
      if (error === lost || !isLoss(error)) throw lost && isAbsent(error) ? lost : error;
      if (progress.id !== id) attempt = -1;
      if (attempt + 1 >= MAX_ATTEMPTS) throw error;
      loss = error;
    }
  }
}

/** Whether the network or the service is away for a while, whatever becomes of the answer. */
function isLoss(error: unknown): error is AgentError {
  if (!(error instanceof AgentError)) return false;
  // What comes in a stream is the answer's own end.
  const isAway = error.retryable && error.status !== 200;
  return error.code === 'NetworkError' || error.code === 'StreamTruncated' || isAway;
}

function isAbsent(error: unknown): boolean {
  return error instanceof AgentError && error.code === 'NotFound';
}

/** Waits longer from attempt to attempt, and never as long as another client. */
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
