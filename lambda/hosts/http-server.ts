import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ResponseStream } from '../answer/relay.ts';
import type { Host } from '../http/request.ts';
import type { Service } from '../http/service.ts';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts';
import { callerHasLeft, toRequest } from './node-request.ts';
import { OpenAnswers } from './open-answers.ts';
import type { ServerConfig } from './server-config.ts';

export interface HttpServer {
  /** Where it listens, `http://127.0.0.1:8080`. */
  url: string;
  /** Refuses what comes from now on, gives open answers their grace, and resolves when the last one is over. */
  close(): Promise<void>;
}

/** For a request's line and headers, and for the whole request: an answer takes as long as it takes. */
const HEADERS_TIMEOUT_MS = 15_000;
const BODY_TIMEOUT_MS = 60_000;

/** For the error of an answer that was cut short to reach its reader. */
const CLOSE_LIMIT_MS = 1000;

/** Connections that wait to be accepted: whole crowds may come at once. */
const BACKLOG = 4096;

/** As Lambda makes them. */
const LAMBDA_REQUEST_ID = /^[\w-]{1,128}$/;

/**
 * Serves many requests in one process, as a Lambda Web Function or in a container.
 *
 * @throws what listening fails with
 */
export async function startHttpServer(service: Service, config: ServerConfig): Promise<HttpServer> {
  const answers = new OpenAnswers(config.maxStreams);
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: BODY_TIMEOUT_MS,
      keepAliveTimeout: config.keepAliveTimeoutMs,
    },
    (incoming, response) => answer(incoming, response, { service, config, answers }),
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

/** Takes an answer whose caller has left before it began; a response that is closed would never say that it is drained. */
const NOBODY: ResponseStream = {
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
  { service, config, answers }: { service: Service; config: ServerConfig; answers: OpenAnswers },
): void {
  const startedAt = performance.now();
  const requestId = requestIdOf(incoming, config.isWebFunction);
  const own = { 'x-amzn-RequestId': requestId, ...corsHeaders(incoming, config.allowedOrigins) };
  // A write to a caller that has left is an error of the response, which nobody has to hear.
  response.on('error', () => {});
  if (isPreflight(incoming)) {
    response.writeHead(200, { ...own, ...preflightHeaders(own) }).end();
    return;
  }
  const shutdown = new AbortController();
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(callerHasLeft());
  });
  const request = toRequest(incoming, requestId, config.maxRequestBytes);
  const host: Host = {
    respond: ({ statusCode, headers }) =>
      response.destroyed ? NOBODY : response.writeHead(statusCode, { ...headers, ...own }),
    remainingMs: () => Math.floor(config.requestTimeoutMs - (performance.now() - startedAt)),
    // Lambda may, in front of a Web Function as it does behind a Function URL; a load balancer does not.
    holdsSmallWrites: config.isWebFunction,
    signal: AbortSignal.any([left.signal, shutdown.signal]),
    shutdown: shutdown.signal,
    refusal: (route) => answers.refusal(route),
  };
  answers.run(shutdown, () => service.answer(request, host));
}

function requestIdOf({ headers }: IncomingMessage, isWebFunction: boolean): string {
  const given = isWebFunction ? headers['lambda-web-request-id'] : undefined;
  return typeof given === 'string' && LAMBDA_REQUEST_ID.test(given) ? given : randomUUID();
}
