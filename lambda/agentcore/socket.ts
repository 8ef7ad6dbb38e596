import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { StreamError } from '../errors.ts';
import { failureOfSocket } from './socket-failures.ts';
import { whenWaitingInputIsRead } from './waiting-input.ts';

export interface DialOptions {
  /** The longest time for DNS, TCP and TLS together. */
  connectTimeoutMs: number;
  signal: AbortSignal;
}

/** Node gives each address of a host 250 ms, which is less than a round trip between distant regions. */
const SEVERAL_ADDRESSES = { autoSelectFamilyAttemptTimeout: 1000 };

/**
 * Opens a connection to the data plane.
 *
 * @throws StreamError AgentTimeout (worth one more attempt) or AgentUnavailable
 */
export function dial(origin: URL, { connectTimeoutMs, signal }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const isSecure = origin.protocol === 'https:';
    const connected = isSecure ? 'secureConnect' : 'connect';
    // An IPv6 literal stands in brackets in a URL.
    const host = origin.hostname.replace(/^\[|\]$/g, '');
    const to = {
      host,
      port: Number(origin.port) || (isSecure ? 443 : 80),
      noDelay: true,
      ...SEVERAL_ADDRESSES,
    };
    const socket = isSecure ? connectTls({ ...to, servername: isIP(host) ? '' : host }) : connectTcp(to);
    // Without a listener, a reset would end the process. Users of the socket add listeners of their own.
    socket.on('error', () => {});
    let isSettled = false;
    const settle = (error?: unknown) => {
      if (isSettled) return;
      isSettled = true;
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
      const text = `connecting to the agent took over ${connectTimeoutMs / 1000} s`;
      whenWaitingInputIsRead(() => settle(new StreamError('AgentTimeout', text, { retry: 'once' })));
    }, connectTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once(connected, onConnect).once('error', onError);
  });
}

/**
 * @throws StreamError AgentUnavailable for a socket that was closed before its first use, which causes no event later
 */
export function assertUsable(socket: Socket): void {
  if (socket.writable) return;
  throw failureOfSocket(Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' }));
}
