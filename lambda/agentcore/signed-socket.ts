import type { Socket } from 'node:net';
import type { SessionRequest } from './exchange.ts';
import type { RuntimeRequest, SignedRequest } from './signing.ts';
import { assertUsable, type DialOptions, dial } from './socket.ts';

/** AgentCore's name for who asks. */
const USER_HEADER = 'x-amzn-bedrock-agentcore-runtime-user-id';

/** What is asked of the runtime of a session. */
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
 * Signs and connects side by side: the one takes about a millisecond, the other several. Where one of them fails, or
 * the invocation is over before, the other is not left behind.
 */
export async function signedAndDialled(
  signing: Promise<SignedRequest>,
  origin: URL,
  { connectTimeoutMs, signal }: DialOptions,
): Promise<[SignedRequest, Socket]> {
  const abandon = new AbortController();
  const over = AbortSignal.any([signal, abandon.signal]);
  const dialling = dial(origin, { connectTimeoutMs, signal: over });
  try {
    // Credentials may be asked of somebody who does not answer.
    const both = await Promise.race([Promise.all([signing, dialling]), rejectionOf(over)]);
    assertUsable(both[1]);
    return both;
  } catch (error) {
    dialling.then((socket) => socket.destroy()).catch(() => {});
    throw error;
  } finally {
    // Also in the end of a good one: Node.js holds a combined signal for as long as somebody listens to it.
    abandon.abort(new Error('the connection is there, or will not be'));
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  rejection.catch(() => {});
  return rejection;
}
