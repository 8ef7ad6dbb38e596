import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { StreamError } from '../errors.ts';
import { failureOfSocket } from './failures.ts';

export interface DialOptions {
  /** Limit for DNS, TCP and TLS together. */
  connectTimeoutMs: number;
  signal: AbortSignal;
}

/** Starts a TCP or TLS connection to an origin's host; 'connect' or 'secureConnect' says that it is there. */
export function startSocket(origin: URL): Socket {
  const secure = origin.protocol === 'https:';
  // An IPv6 literal stands in brackets in a URL.
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  const port = Number(origin.port) || (secure ? 443 : 80);
  const socket = secure
    ? connectTls({ host, port, servername: isIP(host) ? '' : host })
    : connectTcp({ host, port });
  socket.setNoDelay(true);
  // A reset while nobody listens would end the process; whoever uses the socket hears it too.
  socket.on('error', () => {});
  return socket;
}

/**
 * Opens a connection to the data plane.
 *
 * @throws StreamError AgentTimeout (worth one more attempt) or AgentUnavailable
 */
export function dial(origin: URL, { connectTimeoutMs, signal }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = startSocket(origin);
    const connected = origin.protocol === 'https:' ? 'secureConnect' : 'connect';
    const settle = (error?: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off(connected, onConnect).off('error', onError);
      if (error === undefined) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const onConnect = () => settle();
    const onError = (error: unknown) => settle(failureOfSocket(error));
    const onAbort = () => settle(signal.reason);
    const timer = setTimeout(() => {
      settle(new StreamError('AgentTimeout', 'connecting to the agent took too long', { retry: 'once' }));
    }, connectTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once(connected, onConnect).once('error', onError);
  });
}
