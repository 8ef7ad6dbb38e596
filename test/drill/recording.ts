import { type FunctionUrl, startFunctionUrl } from '../../local/aws/function-url.ts';
import { type System, type SystemOptions, startSystem } from '../../local/system.ts';
import { startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';
import type { LogLine } from '../infra/logs-insights.ts';
import { type EmfDocument, type Sample, samplesOf, seriesKey } from './metric-store.ts';

/** One real request of the local system, and everything that it left behind. */
export interface Recording {
  /** What CloudWatch has of it, each with its time after the request. */
  readonly metrics: readonly { readonly afterMs: number; readonly sample: Sample }[];
  readonly lines: readonly LogLine[];
}

/** The whole local system, whose requests are recorded one by one. */
export interface Recorder {
  readonly system: System;
  record(agentId: string, prompt: string): Promise<Recording>;
  close(): Promise<void>;
}

export interface RecorderOptions extends Pick<SystemOptions, 'environment' | 'runtime'> {
  /** Its limits are so many times longer in production: so much later is what was recorded. */
  readonly slowedDown?: number;
}

export const AGENT_IDS = ['onboarding', 'provisioning', 'mwc'] as const;

export const runtimeArnOf = (agentId: string) =>
  `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${agentId}-0123456789`;

/** @param functionName value of the dimension of Lambda's own metrics, which the local Lambda does not write */
export async function startRecorder(functionName: string, options: RecorderOptions = {}): Promise<Recorder> {
  const { slowedDown = 1, environment, runtime } = options;
  const puppet = await startPuppetAgent();
  const system = await startSystem({
    runtimes: AGENT_IDS.map((id) => ({ id, name: id, runtimeArn: runtimeArnOf(id), target: puppet.target })),
    environment: { MAX_RETRIES: '2', RETRY_BASE_MS: '5', RETRY_MAX_MS: '20', ...environment },
    ...(runtime && { runtime }),
  });
  let ofLambda: Record<string, number> = {};
  const functionUrl: FunctionUrl = await startFunctionUrl({
    runtime: {
      async invoke(event) {
        const result = await system.runtime.invoke(event);
        ofLambda =
          result.kind === 'throttled'
            ? { Throttles: 1 }
            : { Invocations: 1, Errors: Number(result.kind === 'error') };
        return result;
      },
    },
  });
  const linesFrom = (from: number): LogLine[] =>
    system.logs
      .slice(from)
      .flatMap(({ line }) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
  const isQuiet = () =>
    system.runtime.environments.every(({ state }) => state === 'idle' || state === 'gone');

  return {
    system,
    async record(agentId, prompt) {
      await until(isQuiet, 'the environment is idle');
      const from = system.logs.length;
      const startedAt = Date.now();
      const body = JSON.stringify({ agentId, prompt, sessionId: newSessionId() });
      const response = await fetch(functionUrl.url, { method: 'POST', body });
      await response.text();
      await until(isQuiet, 'the environment is idle again', 20_000);
      const endedAt = Date.now();
      if (ofLambda.Errors === 0) await until(() => isWhole(linesFrom(from)), 'the log has all metrics');
      const dimensions = [{ Name: 'FunctionName', Value: functionName }];
      const lines = linesFrom(from);
      const metrics = [
        ...lines
          .filter(isEmf)
          .flatMap((document) =>
            samplesOf(document).map((sample) => ({ atMs: document._aws.Timestamp, sample })),
          ),
        ...Object.entries(ofLambda).map(([name, value]) => ({
          atMs: endedAt,
          sample: { series: seriesKey('AWS/Lambda', name, dimensions), value },
        })),
      ];
      return {
        metrics: metrics.map(({ atMs, sample }) => ({ afterMs: (atMs - startedAt) * slowedDown, sample })),
        lines: lines.filter((line) => !isEmf(line)),
      };
    },
    async close() {
      await functionUrl.close();
      await system.close();
      await puppet.close();
    },
  };
}

function isEmf(line: LogLine): line is LogLine & EmfDocument {
  return '_aws' in line;
}

/** The function publishes one document per dimension set, the finest one last. */
function isWhole(lines: readonly LogLine[]): boolean {
  const summary = lines.find(({ outcome }) => outcome !== undefined);
  const finest = summary?.outcome === 'complete' ? 'agent' : 'outcome';
  return (
    summary !== undefined && lines.some((line) => isEmf(line) && 'InvocationErrors' in line && finest in line)
  );
}
