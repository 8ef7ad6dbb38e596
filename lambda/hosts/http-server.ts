import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ResponseStream } from '../answer/response.ts';
import type { Host } from '../http/request.ts';
import type { Service } from '../http/service.ts';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts';
import { callerHasLeft, toRequest } from './node-request.ts';
import { OpenAnswers } from './open-answers.ts';
import type { ServerConfig } from './server-config.ts';
import { Turns } from './turns.ts';

export interface HttpServer {
  /** The address that the server listens on, such as `http://127.0.0.1:8080`. */
  url: string;
  /** Refuses new requests, gives open answers their grace, and resolves when the last answer is over. */
  close(): Promise<void>;
}

/** The longest time to receive a request's headers, and the longest time to receive the whole request. */
const HEADERS_TIMEOUT_MS = 15_000;
const BODY_TIMEOUT_MS = 60_000;

/** The time between two looks for requests whose time is over. Node.js looks every 30 s, and so lets them last longer. */
const TIMEOUT_CHECK_INTERVAL_MS = 1000;

/** The time that an answer gets to send its error when a shutdown cuts it short. */
const CLOSE_LIMIT_MS = 1000;

/** The most connections that wait to be accepted. Very many may arrive at once. */
const BACKLOG = 4096;

/** The form of the request ids that Lambda makes. */
const LAMBDA_REQUEST_ID = /^[\w-]{1,128}$/;

/**
 * Serves many requests in one process, as a Lambda Web Function or in a container.
 *
 * @throws the error with which listening fails
 */
export async function startHttpServer(service: Service, config: ServerConfig): Promise<HttpServer> {
  const answers = new OpenAnswers(config.maxStreams);
  const serving = { service, config, answers, turns: new Turns() };
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: BODY_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      keepAliveTimeout: config.keepAliveTimeoutMs,
    },
    (incoming, response) => answer(incoming, response, serving),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: config.host, port: config.port, backlog: BACKLOG }, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async close() {
      server.close();
      await answers.close(config.shutdownGraceMs, CLOSE_LIMIT_MS);
      server.closeAllConnections();
    },
  };
}

/** The parts that all requests of a server share. */
interface Serving {
  service: Service;
  config: ServerConfig;
  answers: OpenAnswers;
  turns: Turns;
}

/** The stream of an answer whose caller left before the answer began. A closed response would never emit `drain`. */
const NO_READER: ResponseStream = {
  write: () => true,
  end: () => {},
  once: () => {},
  off: () => {},
  destroyed: true,
  writableEnded: true,
  writableNeedDrain: false,
};

function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  { service, config, answers, turns }: Serving,
): void {
  const startedAt = performance.now();
  const requestId = requestIdOf(incoming, config.isWebFunction);
  const ownHeaders = { 'x-amzn-RequestId': requestId, ...corsHeaders(incoming, config.allowedOrigins) };
  // A write to a caller that has left is an error of the response, which needs no handling.
  response.on('error', () => {});
  if (isPreflight(incoming)) {
    response.writeHead(200, { ...ownHeaders, ...preflightHeaders(ownHeaders) }).end();
    return;
  }
  const shutdown = new AbortController();
  const left = new AbortController();
  shutdown.signal.addEventListener('abort', () => left.abort(shutdown.signal.reason), { once: true });
  response.once('close', () => {
    if (!response.writableFinished) left.abort(callerHasLeft());
  });
  const request = toRequest(incoming, requestId, config.maxRequestBytes);
  const host: Host = {
    respond: ({ statusCode, headers }) =>
      response.destroyed ? NO_READER : response.writeHead(statusCode, { ...headers, ...ownHeaders }),
    remainingMs: () => Math.floor(config.requestTimeoutMs - (performance.now() - startedAt)),
    // Lambda may hold small writes back in front of a Web Function, as behind a Function URL. A load balancer does not.
    holdsSmallWrites: config.isWebFunction,
    signal: left.signal,
    shutdown: shutdown.signal,
    refusal: (route) => answers.refusal(route),
  };
  answers.run(shutdown, async () => {
    await turns.next();
    await service.answer(request, host);
  });
}

function requestIdOf({ headers }: IncomingMessage, isWebFunction: boolean): string {
  const given = isWebFunction ? headers['lambda-web-request-id'] : undefined;
  return typeof given === 'string' && LAMBDA_REQUEST_ID.test(given) ? given : randomUUID();
}
