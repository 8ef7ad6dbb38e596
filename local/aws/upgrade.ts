import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { rawAnswer } from '../faults/data-plane-faults.ts';
import { type Admitted, SESSION_HEADER } from './admission.ts';
import type { Service } from './operation.ts';
import { Refusal, runtimeClientError } from './refusal.ts';
import { proxyWebSocket } from './websocket-proxy.ts';

/** The WebSocket of a session: waits until the session is up, then passes the upgrade on to its container. */
export async function upgrade(
  service: Service,
  { runtime, qualifier, sessionId, headers }: Admitted,
  socket: Socket,
  head: Buffer,
): Promise<void> {
  const { runtimeArn, target } = runtime;
  const reset = () => service.reset(socket);
  const fault = service.faults.take(runtimeArn, sessionId);
  if (fault?.at === 'upgrade' && (await fault.act({ socket, reset }))) {
    // The request has no other reader, and an end that is not read is not seen.
    socket.resume().once('end', () => socket.destroy());
    return;
  }
  const leave = await service.sessions.join(runtime, sessionId, () => socket.destroy());
  if (leave instanceof Refusal) return refuseUpgrade(socket, leave);
  if (socket.destroyed) return leave();
  socket.once('close', leave);

  const { hostname, port } = new URL(target);
  const agent = connect({ host: hostname, port: Number(port) || 80, noDelay: true });
  agent.on('error', () => {});
  const onCallerGone = () => agent.destroy();
  socket.once('close', onCallerGone);
  agent.once('connect', () => agent.write(upgradeOf(headers, target)));
  const answer = await headOf(agent);
  socket.off('close', onCallerGone);
  if (!answer) return refuseUpgrade(socket, runtimeClientError('could not reach the container'));
  const status = Number(answer.head.split(' ')[1]);
  if (status !== 101 || socket.destroyed) {
    agent.destroy();
    return refuseUpgrade(socket, runtimeClientError(`Received error code ${status} from runtime`));
  }
  const connection = { runtimeArn, qualifier, sessionId, openedAt: service.clock(), socket };
  service.upgrades += 1;
  service.connections.add(connection);
  socket.once('close', () => service.connections.delete(connection));
  const extra = `x-amzn-requestid: ${randomUUID()}\r\n${SESSION_HEADER}: ${sessionId}\r\n`;
  socket.write(`${answer.head}\r\n${extra}\r\n`);
  proxyWebSocket({
    client: socket,
    agent,
    quotas: service.quotas,
    fault: fault?.at === 'stream' ? fault : undefined,
    resetClient: reset,
    early: { fromClient: head, fromAgent: answer.rest },
  });
}

export function refuseUpgrade(socket: Socket, { status, headers, body }: Refusal): void {
  if (socket.writable) socket.end(rawAnswer(status, headers, body));
  socket.resume();
}

function upgradeOf(headers: Record<string, string>, target: string): string {
  const { host, pathname } = new URL(target);
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return [`GET ${pathname.replace(/\/$/, '')}/ws HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** The head of the agent's answer without its last blank line, and the bytes behind it. */
function headOf(agent: Socket): Promise<{ head: string; rest: Buffer } | undefined> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const onData = (bytes: Buffer) => {
      seen = Buffer.concat([seen, bytes]);
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0) return;
      agent.off('data', onData);
      agent.pause();
      resolve({ head: seen.toString('latin1', 0, end), rest: seen.subarray(end + 4) });
    };
    agent.on('data', onData);
    agent.once('close', () => resolve(undefined));
  });
}
