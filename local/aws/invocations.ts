import { randomUUID } from 'node:crypto';
import { request as requestHttp, type ServerResponse } from 'node:http';
import { type Admitted, SESSION_HEADER } from './admission.ts';
import { proxyBody } from './http-proxy.ts';
import type { Service } from './operation.ts';
import { Refusal, runtimeClientError } from './refusal.ts';

/** A request to the entrypoint of a session's container: waits until the session is up, then passes it on. */
export async function invoke(
  service: Service,
  { runtime, sessionId, headers }: Admitted,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const { socket } = response;
  if (!socket) return;
  const reset = () => service.reset(socket);
  const refuse = ({ status, headers, body }: Refusal) => response.writeHead(status, headers).end(body);
  const fault = service.faults.take(runtime.runtimeArn, sessionId);
  if (fault?.at === 'upgrade' && (await fault.act({ socket, reset }))) return;
  const leave = await service.sessions.join(runtime, sessionId, () => response.destroy());
  if (leave instanceof Refusal) return void refuse(leave);
  if (response.destroyed) return leave();
  response.once('close', leave);

  const upstream = requestHttp(`${runtime.target}/invocations`, {
    method: 'POST',
    headers,
    // A connection of its own: a container may close one that has served, just when it would be used again.
    agent: false,
  });
  upstream.on('error', () => {
    if (response.headersSent) response.destroy();
  });
  // With or without an error: a container that switches protocols makes none.
  upstream.on('close', () => {
    if (!response.headersSent) refuse(runtimeClientError('could not reach the container'));
  });
  upstream.on('response', (answer) => {
    const { statusCode: status = 500, headers } = answer;
    if (status >= 400) {
      answer.resume();
      return void refuse(runtimeClientError(`Received error code ${status} from runtime`));
    }
    response.writeHead(status, {
      'content-type': headers['content-type'] ?? 'application/octet-stream',
      'x-amzn-requestid': randomUUID(),
      [SESSION_HEADER]: sessionId,
    });
    response.flushHeaders();
    proxyBody(answer, response, fault?.at === 'stream' ? fault : undefined, reset);
  });
  response.on('close', () => upstream.destroy());
  upstream.end(body);
}
