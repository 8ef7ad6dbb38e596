import type { Socket } from 'node:net';
import { childAbort } from '../child-abort.ts';
import type { SessionRequest } from './exchange.ts';
import type { RuntimeRequest, SignedRequest } from './signing.ts';
import { assertUsable, type DialOptions, dial } from './socket.ts';

/** The header that names the user to AgentCore. */
const USER_HEADER = 'x-amzn-bedrock-agentcore-runtime-user-id';

/** Makes a request to the runtime of a session, which is signed later. */
export function runtimeRequest(
  { agent, sessionId, userId, traceHeaders }: SessionRequest,
  headers: Record<string, string> = {},
): RuntimeRequest {
  return {
    arn: agent.arn,
    origin: agent.origin,
    qualifier: agent.entry.qualifier,
    sessionId,
    headers: { ...traceHeaders, ...(userId !== undefined && { [USER_HEADER]: userId }), ...headers },
  };
}

/**
 * Signs the request and opens the socket at the same time: signing takes about a millisecond, connecting takes several.
 * If one of them fails, or the signal is aborted, the other is cancelled.
 */
export async function openSignedSocket(
  signing: Promise<SignedRequest>,
  origin: URL,
  { connectTimeoutMs, signal }: DialOptions,
): Promise<[SignedRequest, Socket]> {
  const abandon = childAbort(signal);
  const dialling = dial(origin, { connectTimeoutMs, signal: abandon.signal });
  try {
    // A provider of credentials may never answer, so the signal has to end the wait.
    const both = await Promise.race([Promise.all([signing, dialling]), rejectionOf(abandon.signal)]);
    assertUsable(both[1]);
    abandon.release();
    return both;
  } catch (error) {
    abandon.abort(error);
    dialling.then((socket) => socket.destroy()).catch(() => {});
    throw error;
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  rejection.catch(() => {});
  return rejection;
}
