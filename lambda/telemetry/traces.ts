import type { OtlpTarget } from '../otlp-config.ts';
import type { WriteLine } from './log-line.ts';
import type { OtlpWriter } from './otlp.ts';
import type { InvocationSpan } from './span.ts';
import type { TraceHeaders } from './trace-context.ts';

export interface TracesOptions {
  serviceName: string;
  stage: string;
  /** Undefined: X-Ray. */
  otlp: OtlpTarget | undefined;
  write: WriteLine;
}

/** Where spans go. What writes them is loaded with the first one, when an answer is over: it blocks for 20 ms and more. */
export interface Traces {
  prepare(): Promise<unknown>;
  /**
   * @param isTraced whether X-Ray samples the request
   * @param headers what the request says of its trace
   */
  send(span: InvocationSpan, isTraced: boolean, headers: TraceHeaders): Promise<void>;
}

/** A collector that is down is told of once in so long. */
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
  let toldAt = Number.NEGATIVE_INFINITY;
  const load = () => {
    writer ??= import('./otlp.ts').then(({ createOtlpWriter }) =>
      createOtlpWriter(otlp, { 'service.name': serviceName, 'deployment.environment.name': stage }),
    );
    return writer;
  };
  return {
    prepare: load,
    /** A collector is no part of an answer: what it does not take is lost, and told of now and then. */
    async send(span, _isTraced, headers) {
      const send = await load();
      try {
        await send(span, headers);
      } catch (error) {
        if (performance.now() - toldAt < LOST_TRACES_EVERY_MS) return;
        toldAt = performance.now();
        write('WARN', 'Traces are lost', { error });
      }
    },
  };
}
