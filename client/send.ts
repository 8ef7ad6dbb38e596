import { unlessAborted } from './body.ts';
import { AgentError } from './errors.ts';

/** How a request is sent and cancelled. */
export interface SendOptions {
  /** Cancels the request. The call then throws the signal's reason, which is an AbortError by default. */
  signal?: AbortSignal | undefined;
  /** Sends the request, for example with a SigV4 signature or a further header. @default globalThis.fetch */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

/** The failures of Node's fetch that happen before anything is sent. A browser does not tell its failures apart. */
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'];

/**
 * Sends a request and follows no redirect, because a redirect would send the prompt again.
 *
 * @param init method, headers and body
 * @throws AgentError `NetworkError`; the reason of `signal` once the signal is aborted; TypeError for an invalid URL
 */
export async function send(
  url: string,
  init: RequestInit,
  { fetch = globalThis.fetch, signal }: SendOptions,
): Promise<Response> {
  signal?.throwIfAborted();
  // This is read before the request: a request may arrive although the network goes away while it runs.
  const offline = globalThis.navigator?.onLine === false;
  let answer: Promise<Response> | undefined;
  try {
    answer = fetch(url, { ...init, signal: signal ?? null, redirect: 'manual' });
    return await unlessAborted(answer, signal);
  } catch (cause) {
    if (signal?.aborted) {
      // A custom fetch that ignores the signal may still get a response, whose body must not stay open.
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

/** Whether a URL is valid for a request. Otherwise the caller's URL is at fault, and not the network. */
function isRequestable(url: string): boolean {
  try {
    return Boolean(new Request(url));
  } catch {
    return false;
  }
}
