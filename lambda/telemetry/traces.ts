import type { OtlpTarget } from '../otlp-config.ts';
import type { WriteLine } from './log-line.ts';
import type { OtlpWriter } from './otlp.ts';
import type { InvocationSpan } from './span.ts';
import type { TraceHeaders } from './trace-context.ts';

export interface TracesOptions {
  serviceName: string;
  stage: string;
  /** The collector of traces. Undefined means X-Ray. */
  otlp: OtlpTarget | undefined;
  write: WriteLine;
}

/** Sends spans. Its writer is loaded with the first span, after an answer, because loading blocks for 20 ms or more. */
export interface Traces {
  prepare(): Promise<unknown>;
  /**
   * @param isTraced whether X-Ray samples the request
   * @param headers the headers of the request that name its trace
   */
  send(span: InvocationSpan, isTraced: boolean, headers: TraceHeaders): Promise<void>;
}

/** A collector that is down is reported only once in this time. */
const LOST_TRACES_EVERY_MS = 60_000;

export function createTraces({ serviceName, stage, otlp, write }: TracesOptions): Traces {
  if (!otlp) {
    return {
      prepare: async () => {},
      async send(span, isTraced) {
        if (!isTraced) return;
        const { sendTrace } = await import('./tracing.ts');
        await sendTrace(span);
      },
    };
  }

  let writer: Promise<OtlpWriter> | undefined;
  let reportedAt = Number.NEGATIVE_INFINITY;
  const load = () => {
    writer ??= import('./otlp.ts').then(({ createOtlpWriter }) =>
      createOtlpWriter(otlp, { 'service.name': serviceName, 'deployment.environment.name': stage }),
    );
    return writer;
  };
  return {
    prepare: load,
    /** Sends a span to the collector. An answer does not depend on the collector: a failure is only logged. */
    async send(span, _isTraced, headers) {
      const send = await load();
      try {
        await send(span, headers);
      } catch (error) {
        if (performance.now() - reportedAt < LOST_TRACES_EVERY_MS) return;
        reportedAt = performance.now();
        write('WARN', 'Traces are lost', { error });
      }
    },
  };
}
