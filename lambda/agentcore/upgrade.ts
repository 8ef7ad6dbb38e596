import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
// biome-ignore lint/style/noRestrictedImports: this file and connection.ts own it
import WebSocket from 'ws';
import { StreamError } from '../errors.ts';
import { bodyOf } from './answer-body.ts';
import { failureOfAnswer, requestIdOf } from './failures.ts';
import type { SignedRequest } from './signing.ts';
import { failureOfSocket } from './socket-failures.ts';
import { whenWaitingInputIsRead } from './waiting-input.ts';

export interface UpgradeOptions {
  /** A connected socket to the URL's host. */
  socket: Socket;
  /** The longest time for the whole upgrade. AgentCore answers it when the session's microVM is up. */
  handshakeTimeoutMs: number;
  maxMessageBytes: number;
  signal: AbortSignal;
}

/** A WebSocket that is open. */
export interface Upgraded {
  ws: WebSocket;
  /** AgentCore's id of the upgrade. */
  upstreamRequestId: string | undefined;
}

/** After a pause all unread pings are read at once. By default ws would end the connection at the 61st ping. */
const MAX_PENDING_PONGS = 10_000;

/** How long a peer may take to answer our close frame. */
const CLOSE_TIMEOUT_MS = 1000;

/**
 * Upgrades a socket to a WebSocket. It offers no compression and follows no redirect.
 *
 * @throws StreamError that `docs/errors.md` gives for the answer, or AgentTimeout when there is no answer in time
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-4.1
 */
export function upgrade({ url, headers }: SignedRequest, options: UpgradeOptions): Promise<Upgraded> {
  const { socket, signal } = options;
  return new Promise<Upgraded>((resolve, reject) => {
    signal.throwIfAborted();
    // The options are a variable, because the types of ws do not declare all of them yet.
    const clientOptions = {
      headers,
      createConnection: () => socket,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      closeTimeout: CLOSE_TIMEOUT_MS,
      maxPendingAutoPongs: MAX_PENDING_PONGS,
    };
    const ws = new WebSocket(url, clientOptions);
    let upstreamRequestId: string | undefined;
    // ws emits an error for a terminated upgrade even after this promise is settled.
    ws.on('error', () => {});
    let isAnswered = false;
    let isSettled = false;
    const settle = (error?: unknown) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      ws.off('open', onOpen).off('error', onError).off('unexpected-response', onAnswer);
      if (error === undefined) return resolve({ ws, upstreamRequestId });
      ws.terminate();
      reject(error);
    };
    const onUpgrade = (answer: IncomingMessage) => {
      upstreamRequestId = requestIdOf(answer.headers);
    };
    const onOpen = () => {
      // Messages that arrived with the answer to the upgrade wait until an exchange resumes the socket.
      ws.pause();
      settle();
    };
    const onError = (error: unknown) => settle(failureOfSocket(error));
    const onAbort = () => settle(signal.reason);
    const onAnswer = async (_request: unknown, answer: IncomingMessage) => {
      // The answer arrived in time; only its body is left to read.
      clearTimeout(timer);
      isAnswered = true;
      const { statusCode: status = 0, headers: answered } = answer;
      settle(failureOfAnswer({ operation: 'ws', status, headers: answered, body: await bodyOf(answer) }));
    };
    // The handshakeTimeout of ws is an inactivity limit: a server that sends a byte now and then never reaches it.
    const timer = setTimeout(() => {
      const seconds = options.handshakeTimeoutMs / 1000;
      const text = `the agent did not accept the connection within ${seconds} s`;
      whenWaitingInputIsRead(() => isAnswered || settle(new StreamError('AgentTimeout', text)));
    }, options.handshakeTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    ws.once('upgrade', onUpgrade);
    ws.once('open', onOpen).once('error', onError).once('unexpected-response', onAnswer);
  }).catch((error) => {
    socket.destroy();
    throw error;
  });
}
