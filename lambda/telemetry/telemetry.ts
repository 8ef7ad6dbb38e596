import type { Log } from '../agentcore/exchange.ts';
import type { OtlpTarget } from '../otlp-config.ts';
import { InFlight, type OpenAnswer } from './in-flight.ts';
import { type Fields, type Level, loggable } from './log-line.ts';
import type { RequestOutcome } from './outcome.ts';
import { flushLog, plainLog } from './plain-log.ts';
import type { Powertools } from './powertools.ts';
import { toSpan } from './span.ts';
import { writeSummary } from './summary.ts';
import type { TraceHeaders } from './trace-context.ts';
import { createTraces } from './traces.ts';

export interface RequestTelemetry {
  log: Log;
  /** Adds agent and session to all further lines of the request, once they are known. */
  about(fields: { agent: string; session_id: string }): void;
  /** Counts the answer as running from now until `finish`. The record tells when its first chunk arrives. */
  underWay(agent: string, record: OpenAnswer['record']): void;
  /**
   * Writes the one line that answers "what happened to this request", then the metrics, then the trace of a sampled
   * invocation. It never rejects, because a delivered answer must not become an error.
   */
  finish(outcome: RequestOutcome): Promise<void>;
}

/** What the log says of a discarded connection. */
export interface Discarded {
  readonly owner: { agent: string; sessionId: string };
  /** Milliseconds of the wall clock. */
  readonly openedAt: number;
  /** The code of the close frame, if the other side closed the connection. */
  readonly closed: { code: number } | undefined;
}

export interface Telemetry {
  /** The log for lines of the process, which belong to no request. */
  log: Log & { error(message: string, fields?: Fields): void };
  /**
   * Loads the modules that would otherwise load when the first answer is over, for a process in which other answers run
   * at that time. No request then counts as a cold start.
   */
  prepare(): Promise<void>;
  /** Resolves when every line has left the process. */
  flush(): Promise<void>;
  /**
   * @param isTraced whether X-Ray samples the request
   * @param headers the headers of the request that name its trace
   */
  request(requestId: string, isTraced: boolean, headers?: TraceHeaders): RequestTelemetry;
  /** Logs that a kept or spare connection will not be used again, and counts it with the next invocation. */
  connectionDiscarded(connection: Discarded, reason: string): void;
}

export interface TelemetryOptions {
  serviceName: string;
  /** The time between two counts of the running answers. */
  inFlightIntervalMs: number;
  /** The collector that receives traces instead of X-Ray. */
  otlp?: OtlpTarget | undefined;
  /** The stage that traces name. */
  stage?: string;
}

/**
 * Writes logs, metrics and traces. Powertools is loaded when the first answer is over, because loading it blocks for 20
 * ms and would delay the first chunk of every cold start. Until then lines are written without it.
 */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { serviceName, inFlightIntervalMs, otlp, stage = 'dev' } = options;
  const plain = plainLog(serviceName);
  const inFlight = new InFlight({ serviceName, intervalMs: inFlightIntervalMs });
  let powertools: Powertools | undefined;
  let loading: Promise<Powertools> | undefined;
  let isCold = true;
  let discarded = 0;

  const load = () => {
    loading ??= import('./powertools.ts').then(({ createPowertools }) => {
      powertools = createPowertools(serviceName);
      return powertools;
    });
    return loading;
  };
  const write = (level: Level, message: string, fields: Fields) => {
    try {
      (powertools?.writeLine ?? plain)(level, message, loggable(fields));
    } catch (error) {
      plain('ERROR', 'A line of the log was lost', loggable({ lost: message, error }));
    }
  };

  const traces = createTraces({ serviceName, stage, otlp, write });

  return {
    log: {
      info: (message, fields = {}) => write('INFO', message, fields),
      warn: (message, fields = {}) => write('WARN', message, fields),
      error: (message, fields = {}) => write('ERROR', message, fields),
    },
    async prepare() {
      isCold = false;
      await Promise.all([load(), traces.prepare()]);
    },
    flush: flushLog,
    request(requestId, isTraced, headers = {}) {
      const keys: Fields = { function_request_id: requestId, cold_start: isCold };
      const coldStart = isCold;
      isCold = false;
      let answer: OpenAnswer | undefined;
      powertools?.sample();
      const line = (level: Level, message: string, fields: Fields = {}) =>
        write(level, message, { ...keys, ...fields });
      return {
        log: {
          info: (message, fields) => line('INFO', message, fields),
          warn: (message, fields) => line('WARN', message, fields),
        },
        about: (fields) => Object.assign(keys, fields),
        underWay(agent, record) {
          answer = { agent, record, startedAt: performance.now() };
          inFlight.add(answer);
        },
        async finish(outcome) {
          if (answer) inFlight.delete(answer);
          writeSummary(line, outcome);
          try {
            const { publishMetrics } = await load();
            publishMetrics(outcome, discarded);
            if (outcome.invocation) discarded = 0;
            if (!outcome.invocation) return;
            await traces.send(toSpan(outcome, outcome.invocation, coldStart), isTraced, headers);
          } catch (error) {
            line('ERROR', 'Telemetry failed', { error });
          }
        },
      };
    },
    connectionDiscarded({ owner, openedAt, closed }, reason) {
      discarded += 1;
      write('INFO', 'Connection discarded', {
        agent: owner.agent,
        session_id: owner.sessionId,
        reason,
        // The code is absent when this side closes the connection.
        close_code: closed?.code,
        age_ms: Date.now() - openedAt,
      });
    },
  };
}
