import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { bodyOf } from './answer-body.ts';
import type { SessionRequest } from './exchange.ts';
import { failureOfAnswer, type HttpAnswer } from './failures.ts';
import { openSignedSocket, runtimeRequest } from './signed-socket.ts';
import { type SignedRequest, signStop } from './signing.ts';
import { failureOfSocket } from './socket-failures.ts';
import type { Upstream } from './upstream.ts';
import { connectionKeyOf } from './websocket.ts';

/**
 * Ends the microVM of a session and closes the connection that is kept for it. The session id can be used again.
 *
 * @param clientToken a token that must be the same for every attempt
 * @returns false when AgentCore knows no such session
 * @throws StreamError that `docs/errors.md` gives for AgentCore's answer
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_StopRuntimeSession.html
 */
export async function stopSession(
  request: SessionRequest,
  clientToken: string,
  { config, credentials, pool }: Upstream,
  signal: AbortSignal,
): Promise<boolean> {
  pool.drop(connectionKeyOf(request));
  const body = JSON.stringify({ clientToken });
  const [signed, socket] = await openSignedSocket(
    signStop(runtimeRequest(request, { 'content-type': 'application/json' }), body, credentials),
    request.agent.origin,
    { connectTimeoutMs: config.connectTimeoutMs, signal },
  );
  try {
    const answer = await post(signed, body, socket, signal);
    if (answer.status === 200) return true;
    if (answer.status === 404) return false;
    throw failureOfAnswer({ operation: 'stopruntimesession', ...answer });
  } finally {
    socket.destroy();
  }
}

/** @throws StreamError AgentUnavailable, or the signal's reason */
function post(
  { url, headers }: SignedRequest,
  body: string,
  socket: Socket,
  signal: AbortSignal,
): Promise<Omit<HttpAnswer, 'operation'>> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(signal.aborted ? signal.reason : failureOfSocket(cause));
    const request = send(url, { method: 'POST', headers, createConnection: () => socket, signal });
    request.on('error', fail);
    // A server that switches protocols causes no error event.
    request.once('close', () => fail(Object.assign(new Error('no answer came'), { code: 'ECONNRESET' })));
    request.once('response', async (answer: IncomingMessage) => {
      const { statusCode: status = 0, headers: answered } = answer;
      resolve({ status, headers: answered, body: await bodyOf(answer) });
    });
    request.end(body);
  });
}
