import { unlessAborted } from './body.ts';
import { AgentError } from './errors.ts';

/** How a request is sent, and given up. */
export interface SendOptions {
  /** Cancels the request. What waits for it then throws the signal's reason, an AbortError by default. */
  signal?: AbortSignal | undefined;
  /** Sends the request: one that signs with SigV4, or adds a header. @default globalThis.fetch */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

/** Failures of Node's fetch that happen before anything is sent; a browser does not tell. */
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'];

/**
 * Sends a request, and follows no redirect: that would send a prompt again.
 *
 * @param init method, headers and body
 * @throws AgentError `NetworkError`; the reason of `signal` once that is aborted; TypeError for a URL that is none
 */
export async function send(
  url: string,
  init: RequestInit,
  { fetch = globalThis.fetch, signal }: SendOptions,
): Promise<Response> {
  signal?.throwIfAborted();
  // Asked before: a request that was under way when the network went may have arrived.
  const offline = globalThis.navigator?.onLine === false;
  let answer: Promise<Response> | undefined;
  try {
    answer = fetch(url, { ...init, signal: signal ?? null, redirect: 'manual' });
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
