import { credentialProvider } from '../agentcore/credentials.ts';
import { ConnectionPool } from '../agentcore/pool.ts';
import type { Upstream } from '../agentcore/upstream.ts';
import { type Prelude, type ResponseStream, writeError } from '../answer/response.ts';
import type { Config } from '../config.ts';
import { toStreamError } from '../errors.ts';
import { PROTOCOLS } from '../protocols/protocols.ts';
import { openStore } from '../sessions/open-store.ts';
import type { RequestOutcome } from '../telemetry/outcome.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { answerRoute } from './handlers.ts';
import { type Host, isSampled, type Request } from './request.ts';
import { matchRoute, type Route } from './routes.ts';

/** Answers the requests of any host. */
export interface Service {
  /** Never rejects, and always ends the response stream. */
  answer(request: Request, host: Host): Promise<void>;
  /** Settles when the session store is loaded, which the first answer needs. Undefined when sessions are not kept. */
  ready: Promise<unknown> | undefined;
  /** Loads modules in advance that would otherwise load while answers run. */
  prepare(): Promise<void>;
  /** The log for lines about the process. */
  log: Telemetry['log'];
  /** Closes the connections that are kept for further answers. Resolves when the log is written. */
  close(): Promise<void>;
}

/** AgentCore ends a connection after this time, even while an answer runs on it. */
const MAX_CONNECTION_MS = 3_600_000;

/** Wires the parts that outlive a request, once per process. Everything that belongs to one request is a parameter. */
export function createService(config: Config, shared: Pick<Upstream, 'retryBudget'> = {}): Service {
  const telemetry = createTelemetry(config);
  const credentials = credentialProvider(config.credentials);
  const store = openStore({ ...config, credentials });
  const upstream: Upstream = {
    ...shared,
    config,
    credentials,
    pool: new ConnectionPool({
      maxConnections: config.poolMaxConnections,
      maxIdleMs: config.poolMaxIdleMs,
      // An answer that begins on a kept connection must also end on it.
      maxAgeMs: Math.min(config.poolMaxAgeMs, MAX_CONNECTION_MS - config.maxDurationMs),
      pingIntervalMs: config.pingIntervalMs,
      pongTimeoutMs: config.pongTimeoutMs,
      onDiscard: (connection, reason) => telemetry.connectionDiscarded(connection, reason),
    }),
  };
  return {
    // If the store does not load, each answer that needs it reports the failure.
    ready: store?.catch(() => {}),
    log: telemetry.log,
    async prepare() {
      await Promise.all([telemetry.prepare(), store?.catch(() => {})]);
    },
    close() {
      upstream.pool.close();
      return telemetry.flush();
    },
    async answer(request, host) {
      const startedAt = performance.now();
      const { requestId, traceId } = request;
      const requestTelemetry = telemetry.request(requestId, config.tracing && isSampled(traceId), {
        traceparent: request.headers.traceparent,
        xRayTraceId: traceId,
      });
      const outcome: RequestOutcome = { route: undefined, error: undefined, startedAt, endedAt: startedAt };
      let answer: ResponseStream | undefined;
      let route: Route | undefined;
      const respond = (prelude: Prelude) => {
        answer = host.respond(prelude);
        return answer;
      };
      try {
        route = matchRoute(request.method, request.path);
        outcome.route = route.name;
        const refusal = host.refusal?.(route.name);
        if (refusal) throw refusal;
        const call = { ...host, respond, request, upstream, telemetry: requestTelemetry, store };
        Object.assign(outcome, await answerRoute(call, route));
      } catch (thrown) {
        outcome.error = toStreamError(thrown);
        const protocol = route && 'protocol' in route ? PROTOCOLS[route.protocol] : undefined;
        if (!answer) writeError(respond, outcome.error, requestId, outcome.error.details, protocol);
        else if (!answer.writableEnded) answer.end();
      }
      outcome.endedAt = performance.now();
      await requestTelemetry.finish(outcome);
    },
  };
}
