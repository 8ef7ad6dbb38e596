import { parseRuntimeArn } from '../agentcore/arn.ts';
import type { InvocationRecord } from '../agentcore/exchange.ts';
import type { Upstream } from '../agentcore/transports.ts';
import { type Agent, findAgent } from '../agents.ts';
import { invoke } from '../answer/invocation.ts';
import { type Prelude, Relay, type ResponseStream } from '../answer/relay.ts';
import { StreamError, toStreamError } from '../errors.ts';
import { FORMATS, type FormatName } from '../protocols/protocols.ts';
import type { RequestOutcome, RequestTelemetry } from '../telemetry/telemetry.ts';
import {
  type FunctionUrlEvent,
  headerOf,
  type InvokeRequest,
  readInvokeRequest,
  traceHeaders,
} from './request.ts';
import { negotiateFormat } from './routes.ts';

/** How long the end of an answer is waited for; a reader that stalls is left to the platform. */
const CLOSE_WAIT_MS = 100;

export interface InvokeOptions {
  event: FunctionUrlEvent;
  defaultFormat: FormatName;
  respond: (prelude: Prelude) => ResponseStream;
  upstream: Upstream;
  telemetry: RequestTelemetry;
  requestId: string;
  xRayTraceId: string | undefined;
  /** Milliseconds until Lambda ends this invocation. */
  remainingMs: () => number;
}

/**
 * Answers an invoke request, whatever happens to it from here on: the stream is ended on every way out.
 *
 * @throws StreamError while nothing has been written: a request that is not valid, an agent that is not configured
 */
export async function answerInvoke(
  options: InvokeOptions,
): Promise<Pick<RequestOutcome, 'error'> & Required<Pick<RequestOutcome, 'invocation'>>> {
  const { event, upstream, telemetry, requestId } = options;
  const { config, pool } = upstream;
  const request = readInvokeRequest(event, config.maxPromptBytes);
  const agent = agentOf(request, config.agents);
  const { prompt, promptBytes, sessionId } = request;
  telemetry.about({ agent: agent.entry.id, session_id: sessionId });

  const abort = new AbortController();
  const limitMs = Math.min(config.maxDurationMs, options.remainingMs() - config.deadlineReserveMs);
  if (limitMs <= 0) {
    throw new StreamError('AgentTimeout', 'no time is left for an answer', { details: { sessionId } });
  }
  const deadlineAt = performance.now() + limitMs;
  const record: InvocationRecord = {
    retries: 0,
    connectionsOpened: 0,
    connectionsReused: 0,
    connectionFailures: 0,
  };
  let readerStalls = 0;
  const relay = new Relay({
    ...config,
    format: FORMATS[negotiateFormat(headerOf(event, 'accept'), options.defaultFormat, FORMATS)],
    context: { sessionId, agentId: agent.entry.id, requestId },
    respond: options.respond,
    abort,
    onStall: (stalledMs) => {
      readerStalls += 1;
      telemetry.log.warn('ReaderStalled', { stalled_ms: Math.round(stalledMs) });
    },
  });
  let error: StreamError | undefined;
  let incomplete = false;
  // From here on whatever is thrown clears it: it would keep the environment busy, and abort what is long over.
  const deadline = setTimeout(() => {
    const text = `the answer exceeded its time limit of ${Math.ceil(limitMs / 1000)} s`;
    abort.abort(new StreamError('AgentTimeout', text));
  }, limitMs);
  try {
    const invocation = {
      agent,
      prompt,
      sessionId,
      traceHeaders: traceHeaders(event, options.xRayTraceId),
      abort,
      remainingMs: () => deadlineAt - performance.now(),
      record,
      log: telemetry.log,
    };
    const answering = invoke(invocation, upstream, (text) => relay.write(text));
    // Now that the connection is under way: the first line of a process takes a millisecond or two.
    telemetry.log.info('Request', { prompt_bytes: promptBytes });
    await answering;
    relay.done();
  } catch (thrown) {
    error = toStreamError(thrown);
    incomplete = relay.isCommitted;
    relay.fail(error);
  } finally {
    clearTimeout(deadline);
  }
  await relay.closed(CLOSE_WAIT_MS);
  const { stats } = relay;
  return {
    error,
    invocation: {
      agent: agent.entry.id,
      sessionId,
      promptBytes,
      record,
      stats,
      incomplete,
      readerStalls,
      connectionsPooled: pool.size,
    },
  };
}

function agentOf({ agentId, sessionId }: InvokeRequest, agents: readonly Agent[]): Agent {
  const agent = findAgent(agents, agentId);
  if (agent) return agent;
  const details = { sessionId, fields: ['agentId'] };
  if (agentId.startsWith('arn:')) {
    try {
      parseRuntimeArn(agentId);
    } catch (cause) {
      throw new StreamError('BadRequest', `"agentId": ${(cause as Error).message}`, { details });
    }
  }
  const expected = 'the id, name or runtime ARN of a configured agent';
  throw new StreamError('AgentNotFound', `"agentId": expected ${expected}`, { details });
}
