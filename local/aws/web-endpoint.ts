import { randomUUID } from 'node:crypto';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { FunctionUrlOptions } from './function-url.ts';
import { type LocalServer, serve } from './serve.ts';

export interface WebEndpointOptions extends Pick<FunctionUrlOptions, 'access' | 'page' | 'port'> {
  /** Where the Web Function listens. */
  target: string;
}

/**
 * The endpoint of a Lambda Web Function: HTTP/1.1 without upgrades, an id for each request, and a caller that leaves
 * is seen behind it.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-web-functions.html
 */
export function startWebEndpoint(options: WebEndpointOptions): Promise<LocalServer> {
  return serve(async (incoming, response) => {
    response.on('error', () => {});
    const refused = options.access?.(incoming);
    if (refused) {
      incoming.resume();
      return refuse(response, refused.status, refused.message);
    }
    if (await options.page?.(incoming, response)) return;
    forward(incoming, response, options.target);
  }, options.port);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ message }));
}

function forward(incoming: IncomingMessage, response: ServerResponse, target: string): void {
  const { upgrade: _upgrade, connection: _connection, ...headers } = incoming.headers;
  const { method, socket } = incoming;
  const behind = request(new URL(incoming.url ?? '/', target), {
    method,
    headers: {
      ...headers,
      'lambda-web-request-id': randomUUID(),
      'x-forwarded-for': socket.remoteAddress,
      'x-forwarded-proto': 'https',
    },
  });
  behind.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    // Status and headers leave when they are there, as they do behind a real one.
    response.flushHeaders();
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
  behind.on('error', () => {
    if (response.headersSent) response.destroy();
    else refuse(response, 502, 'Bad Gateway');
  });
  response.once('close', () => behind.destroy());
  incoming.pipe(behind);
}
