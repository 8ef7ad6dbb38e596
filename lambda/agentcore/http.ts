import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { StreamError } from '../errors.ts';
import { bodyOf } from './answer-body.ts';
import type { Exchange, Message } from './exchange.ts';
import { failureOfAnswer, requestIdOf } from './failures.ts';
import type { SignedRequest } from './signing.ts';

export interface PostOptions {
  /** A connected socket to the URL's host. */
  socket: Socket;
  signal: AbortSignal;
  /** Called with AgentCore's id of the request when the answer begins. */
  onAnswer: (upstreamRequestId: string | undefined) => void;
}

/**
 * Posts a prompt to `/invocations`. The status of the answer arrives after the prompt was handed over, so receiving
 * rejects with a refusal, which must not be retried.
 */
export function postInvocation(
  { url, headers }: SignedRequest,
  body: string,
  { socket, signal, onAnswer }: PostOptions,
): Exchange {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  // No `agent` is given: with an HTTP agent, and even with `agent: false`, Node.js would open its own connection.
  const request = send(url, { method: 'POST', headers, createConnection: () => socket });
  let broken: unknown;
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', (error) => {
      broken ??= error;
      reject(error);
    });
    // A server that switches protocols causes neither of the two events.
    request.once('close', () => reject(new Error('the connection ended without an answer')));
  });
  const onAbort = () => request.destroy(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  request.end(body);
  let contentType = '';

  /** Iterates the pieces of the answer's body. What throws here is the connection's, and never its taker's. */
  async function* pieces(): AsyncGenerator<Message> {
    try {
      const answer = await answered;
      const { statusCode: status = 0, headers: answeredHeaders } = answer;
      if (status < 200 || status > 299) {
        const body = await bodyOf(answer);
        throw failureOfAnswer({ operation: 'invocations', status, headers: answeredHeaders, body });
      }
      onAnswer(requestIdOf(answeredHeaders));
      contentType = answeredHeaders['content-type'] ?? '';
      for await (const bytes of answer as AsyncIterable<Buffer>) yield [bytes, true];
      if (endsWithConnection(answer)) {
        // Node.js reports such a body as complete, even after an error of the connection.
        signal.throwIfAborted();
        if (broken !== undefined) throw broken;
      }
    } catch (cause) {
      if (cause instanceof StreamError) throw cause;
      throw new StreamError('AgentInterrupted', 'the connection to the agent was lost', { cause });
    }
  }

  return {
    receive: async (take) => {
      for await (const piece of pieces()) {
        if (!(await take([piece]))) return;
      }
    },
    bodyType: () => contentType,
    failure: () => undefined,
    finish: () => {
      signal.removeEventListener('abort', onAbort);
      request.destroy();
      // A request with a complete answer no longer holds its socket, so the socket is destroyed separately.
      socket.destroy();
    },
  };
}

/** Whether only the end of the connection ends the body. @see https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
function endsWithConnection({ headers }: IncomingMessage): boolean {
  return headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}
