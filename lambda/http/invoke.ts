import { parseRuntimeArn } from '../agentcore/arn.ts';
import type { InvocationRecord } from '../agentcore/exchange.ts';
import { type Agent, findAgent } from '../agents.ts';
import { invoke } from '../answer/invocation.ts';
import { Relay } from '../answer/relay.ts';
import { inputFor } from '../dialects/input.ts';
import { StreamError, toStreamError } from '../errors.ts';
import { PROTOCOLS, type ProtocolName } from '../protocols/protocols.ts';
import { readObject } from './body.ts';
import type { Answered, Call } from './call.ts';
import { type InvokeRequest, readInvokeRequest } from './invoke-request.ts';
import { traceHeaders } from './request.ts';
import { negotiateFormat } from './routes.ts';

/** How long the end of an answer is waited for; a reader that stalls is left to the platform. */
const CLOSE_WAIT_MS = 100;

/**
 * Answers an invoke request, whatever happens to it from here on: the stream is ended on every way out.
 *
 * @throws StreamError while nothing has been written: a request that is not valid, an agent that is not configured
 */
export async function answerInvoke(
  call: Call,
  { defaultFormat }: { defaultFormat: ProtocolName },
): Promise<Answered & Required<Pick<Answered, 'invocation'>>> {
  const { request, upstream, telemetry } = call;
  const { config, pool } = upstream;
  const asked = readInvokeRequest(await readObject(request), config.maxPromptBytes);
  const agent = agentOf(asked, config.agents);
  const { prompt, promptBytes, sessionId, sessionReplaced, payload } = asked;
  const { requestId } = request;
  telemetry.about({
    agent: agent.entry.id,
    session_id: sessionId,
    ...(sessionReplaced && { session_replaced: true }),
  });
  if (payload !== undefined && agent.entry.payload !== 'merge') {
    const expected = 'nothing, as the entry of this agent does not allow it';
    throw new StreamError('BadRequest', `"payload": expected ${expected}, got an object`, {
      details: { sessionId, fields: ['payload'] },
    });
  }

  const abort = new AbortController();
  const limitMs = Math.min(config.maxDurationMs, call.remainingMs() - config.deadlineReserveMs);
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
    protocol: PROTOCOLS[negotiateFormat(request.headers.accept, defaultFormat, PROTOCOLS)],
    context: { sessionId, agentId: agent.entry.id, requestId, sessionReplaced: sessionReplaced === true },
    respond: call.respond,
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
  const { signal } = call;
  const abortAsHost = () => abort.abort(signal?.reason);
  signal?.addEventListener('abort', abortAsHost, { once: true });
  if (signal?.aborted) abortAsHost();
  try {
    const invocation = {
      agent,
      input: inputFor(agent.entry, { prompt, sessionId, requestId, ...(payload && { payload }) }),
      sessionId,
      traceHeaders: traceHeaders(request),
      abort,
      remainingMs: () => deadlineAt - performance.now(),
      record,
      log: telemetry.log,
    };
    const answering = invoke(invocation, upstream, (event) => relay.write(event));
    telemetry.underWay(agent.entry.id, record);
    // Now that the connection is under way: the first line of a process takes a millisecond or two.
    telemetry.log.info('Request', { prompt_bytes: promptBytes });
    await answering;
    relay.done();
  } catch (thrown) {
    error = toStreamError(thrown);
    nameStalledReader(error, relay.readerStalledMs);
    incomplete = relay.isCommitted;
    relay.fail(error);
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', abortAsHost);
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
      readerStalledMs: relay.readerStalledMs,
      connectionsPooled: pool.size,
    },
  };
}

/** An agent that was not read while its reader took nothing is not alone to blame for what took too long or was lost. */
function nameStalledReader(error: StreamError, stalledMs: number): void {
  const seconds = Math.floor(stalledMs / 1000);
  if (seconds === 0 || (error.code !== 'AgentTimeout' && error.code !== 'AgentInterrupted')) return;
  error.message += `, and its reader took nothing for ${seconds} s of that`;
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
