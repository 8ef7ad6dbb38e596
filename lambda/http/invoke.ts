import { newRecord } from '../agentcore/exchange.ts';
import { invoke } from '../answer/invocation.ts';
import type { Protocol } from '../answer/protocol.ts';
import { Relay } from '../answer/relay.ts';
import { inputFor } from '../dialects/input.ts';
import { StreamError, toStreamError } from '../errors.ts';
import { FORMATS, type FormatName, PROTOCOLS, type ProtocolName } from '../protocols/protocols.ts';
import { admit, logRequest } from './admission.ts';
import type { Answered, Call } from './call.ts';
import { recordAnswer } from './record-answer.ts';
import { type Request, traceHeaders } from './request.ts';
import { negotiateFormat } from './routes.ts';
import { sessionOf } from './session-of.ts';

/**
 * The longest wait for the end of the response stream. If a reader stalls for longer, only the platform waits for it.
 */
const CLOSE_WAIT_MS = 100;

type InvokeRoute = { defaultFormat: FormatName } | { protocol: ProtocolName; agentId?: string };

function protocolOf({ headers }: Request, route: InvokeRoute): Protocol {
  if ('protocol' in route) return PROTOCOLS[route.protocol];
  return FORMATS[negotiateFormat(headers.accept, route.defaultFormat, FORMATS)];
}

/**
 * Answers an invoke request. Once the response has begun, its stream is always ended.
 *
 * @throws StreamError while nothing has been written: the request is not valid, or its agent is not configured
 */
export async function answerInvoke(call: Call, route: InvokeRoute): Promise<Answered> {
  const { request, upstream, telemetry } = call;
  const { config, pool } = upstream;
  const protocol = protocolOf(request, route);
  const { invokeRequest, agent, limitMs } = await admit(
    call,
    protocol,
    'agentId' in route ? route.agentId : undefined,
  );
  const { prompt, promptBytes, sessionId, sessionReplaced, payload, run, clientTools } = invokeRequest;
  const { requestId } = request;
  const session = sessionOf(call, agent, sessionId);

  const abort = new AbortController();
  const deadlineAt = performance.now() + limitMs;
  const record = newRecord();
  let readerStalls = 0;
  const context = {
    sessionId,
    agentId: agent.entry.id,
    requestId,
    sessionReplaced: sessionReplaced === true,
    ...(run && { run }),
    ...(clientTools && { clientTools }),
  };
  const recorder = invokeRequest.isIdle ? undefined : recordAnswer(call, session, context, abort);
  const relay = new Relay({
    ...config,
    protocol,
    context: { ...context, ...(recorder && { replay: {} }) },
    outlivesReader: recorder !== undefined,
    respond: call.respond,
    holdsSmallWrites: call.holdsSmallWrites,
    abort,
    onStall: (stalledMs) => {
      readerStalls += 1;
      telemetry.log.warn('ReaderStalled', { stalled_ms: Math.round(stalledMs) });
    },
  });
  if (invokeRequest.isIdle) {
    logRequest(telemetry.log, invokeRequest);
    relay.done();
    await relay.closed(CLOSE_WAIT_MS);
    return {};
  }
  let error: StreamError | undefined;
  let incomplete = false;
  let { stats } = relay;
  // `finally` below clears this timer. Otherwise it would keep the environment busy and abort an answer that is over.
  const deadline = setTimeout(() => {
    const text = `the answer exceeded its time limit of ${Math.ceil(limitMs / 1000)} s`;
    abort.abort(new StreamError('AgentTimeout', text));
  }, limitMs);
  // A recorded answer goes on when its caller leaves, because the caller may come back to read it.
  const signal = recorder ? call.shutdown : call.signal;
  const abortAsHost = () => abort.abort(signal?.reason);
  signal?.addEventListener('abort', abortAsHost, { once: true });
  if (signal?.aborted) abortAsHost();
  try {
    const invocation = {
      input: inputFor(agent.entry, {
        prompt,
        sessionId: session.runtimeSession.sessionId,
        requestId,
        ...(payload && { payload }),
        ...(run && { run }),
      }),
      ...session.runtimeSession,
      traceHeaders: traceHeaders(request),
      abort,
      remainingMs: () => deadlineAt - performance.now(),
      record,
      log: telemetry.log,
      ...(recorder && { admission: () => recorder.admitted() }),
    };
    const answering = invoke(invocation, upstream, (events) => {
      recorder?.write(events);
      return relay.write(events);
    });
    telemetry.underWay(agent.entry.id, record);
    // The line is logged while the connection opens: the first line of a process takes a millisecond or two.
    logRequest(telemetry.log, invokeRequest);
    await answering;
    stats = relay.stats;
    await recorder?.end(stats);
    relay.done(stats);
  } catch (thrown) {
    stats = { ...relay.stats, ...(recorder?.isStopped && { stopped: true as const }) };
    if (!stats.stopped) error = toStreamError(thrown);
    if (error) nameStalledReader(error, relay.readerStalledMs);
    incomplete = error !== undefined && relay.isCommitted;
    await recorder?.end(stats, error);
    if (error) relay.fail(error, stats);
    else relay.done(stats);
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', abortAsHost);
  }
  await relay.closed(CLOSE_WAIT_MS);
  await recorder?.settled();
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
      ...(recorder && { storeFailed: recorder.hasFailed }),
    },
  };
}

/**
 * Adds to an error for how long the reader stalled. The agent is not read while its reader takes nothing, so a timeout
 * or a lost connection may not be the agent's fault alone.
 */
function nameStalledReader(error: StreamError, stalledMs: number): void {
  const seconds = Math.floor(stalledMs / 1000);
  if (seconds === 0 || (error.code !== 'AgentTimeout' && error.code !== 'AgentInterrupted')) return;
  error.message += `, and its reader took nothing for ${seconds} s of that`;
}
