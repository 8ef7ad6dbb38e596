import { credentialProvider } from '../agentcore/credentials.ts';
import { ConnectionPool } from '../agentcore/pool.ts';
import type { Upstream } from '../agentcore/transports.ts';
import { type Prelude, type ResponseStream, writeError } from '../answer/relay.ts';
import { readConfig } from '../config.ts';
import { toStreamError } from '../errors.ts';
import { answerInvoke } from '../http/invoke.ts';
import { type FunctionUrlEvent, isSampled, routeOf } from '../http/request.ts';
import { readResource } from '../http/resources.ts';
import { createTelemetry, type RequestOutcome } from '../telemetry/telemetry.ts';

/** What the runtime gives beside the event, as far as it is used here. */
interface InvocationContext {
  awsRequestId: string;
  xRayTraceId?: string;
  getRemainingTimeInMillis(): number;
}

/** What the runtime puts on the global scope before it loads this file. */
declare const awslambda: {
  streamifyResponse<Handler>(handler: Handler): Handler;
  HttpResponseStream: { from(stream: ResponseStream, prelude: Prelude): ResponseStream };
};

/** AgentCore ends a connection then, whatever it carries. */
const MAX_CONNECTION_MS = 3_600_000;

// Wired once per cold start; everything that belongs to one request is a parameter.
const config = readConfig();
const telemetry = createTelemetry(config.serviceName);
const upstream: Upstream = {
  config,
  credentials: credentialProvider(config.credentials),
  pool: new ConnectionPool({
    maxConnections: config.poolMaxConnections,
    maxIdleMs: config.poolMaxIdleMs,
    // An answer that begins on a kept connection ends on it, too.
    maxAgeMs: Math.min(config.poolMaxAgeMs, MAX_CONNECTION_MS - config.maxDurationMs),
    pingIntervalMs: config.pingIntervalMs,
    pongTimeoutMs: config.pongTimeoutMs,
    onDiscard: ({ openedAt }, reason) => telemetry.connectionDiscarded(reason, Date.now() - openedAt),
  }),
};

/**
 * The Lambda function: a Function URL's event in, an HTTP answer streamed out. It never rejects and always ends
 * the stream; anything else would cost the environment.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
 */
export const handler = awslambda.streamifyResponse(
  async (
    received: FunctionUrlEvent | null,
    stream: ResponseStream,
    context: InvocationContext,
  ): Promise<void> => {
    const startedAt = performance.now();
    const event = received ?? {};
    const requestId = context.awsRequestId;
    const requestTelemetry = telemetry.request(requestId, config.tracing && isSampled(context.xRayTraceId));
    const outcome: RequestOutcome = { route: undefined, error: undefined, startedAt, endedAt: startedAt };
    const respond = (prelude: Prelude) => awslambda.HttpResponseStream.from(stream, prelude);
    try {
      const route = routeOf(event);
      outcome.route = route.name;
      if (route.name === 'invoke') {
        const answered = await answerInvoke({
          event,
          defaultFormat: route.defaultFormat,
          respond,
          upstream,
          telemetry: requestTelemetry,
          requestId,
          xRayTraceId: context.xRayTraceId,
          remainingMs: () => context.getRemainingTimeInMillis(),
        });
        Object.assign(outcome, answered);
      } else {
        const remainingMs = context.getRemainingTimeInMillis() - config.deadlineReserveMs;
        const body = JSON.stringify(await readResource(route, config, remainingMs));
        const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
        const answer = respond({ statusCode: 200, headers });
        answer.write(body);
        answer.end();
      }
    } catch (thrown) {
      outcome.error = toStreamError(thrown);
      if (!stream.writableEnded) writeError(respond, outcome.error, requestId);
    }
    outcome.endedAt = performance.now();
    await requestTelemetry.finish(outcome);
  },
);
