import { join } from 'node:path';
import { type FunctionUrl, startFunctionUrl } from '../../local/aws/function-url.ts';
import type { LogEntry } from '../../local/aws/lambda-runtime.ts';
import type { ServerProcess } from '../../local/aws/server-process.ts';
import { type System, type SystemOptions, startSystem } from '../../local/system.ts';
import { startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';
import type { LogLine } from '../infra/logs-insights.ts';
import type { WatchedHost } from '../infra/support.ts';
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
  /** Records a request in the midst of which the server meets a bug that ends it. */
  recordCrash(agentId: string, prompt: string): Promise<Recording>;
  close(): Promise<void>;
}

export interface RecorderOptions extends Pick<SystemOptions, 'environment' | 'runtime'> {
  /** Its limits are so many times longer in production: so much later is what was recorded. */
  readonly slowedDown?: number;
}

/** Where requests are recorded. */
export interface Recorded {
  readonly host: WatchedHost;
  /** Value of the dimension of Lambda's own metrics, which the local Lambda does not write. */
  readonly functionName: string;
}

export const AGENT_IDS = ['onboarding', 'provisioning', 'mwc'] as const;

export const runtimeArnOf = (agentId: string) =>
  `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${agentId}-0123456789`;

const BUG_ON_SIGNAL = join(import.meta.dirname, '../fixtures/bug-on-signal.mjs');

const HOSTS = { 'function-url': 'function-url', web: 'server' } as const;

function systemOptions(
  host: WatchedHost,
  { environment, runtime }: RecorderOptions,
  target: string,
): SystemOptions {
  return {
    host: HOSTS[host],
    runtimes: AGENT_IDS.map((id) => ({ id, name: id, runtimeArn: runtimeArnOf(id), target })),
    environment: { MAX_RETRIES: '2', RETRY_BASE_MS: '5', RETRY_MAX_MS: '20', ...environment },
    runtime: { ...(host === 'web' && { preload: [BUG_ON_SIGNAL] }), ...runtime },
  };
}

export async function startRecorder(
  { host, functionName }: Recorded,
  options: RecorderOptions = {},
): Promise<Recorder> {
  const puppet = await startPuppetAgent();
  const system = await startSystem(systemOptions(host, options, puppet.target));
  let ofLambda: Record<string, number> = {};
  const front: Pick<FunctionUrl, 'url' | 'close'> =
    host === 'web'
      ? { url: system.url, close: async () => {} }
      : await startFunctionUrl({
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
  const linesFrom = (from: number) => linesOf(system.logs.slice(from));
  const isQuiet = () =>
    system.runtime.environments.every(({ state }) => state === 'idle' || state === 'gone');
  const ask = (agentId: string, prompt: string) => {
    const body = JSON.stringify({ agentId, prompt, sessionId: newSessionId() });
    return fetch(front.url, { method: 'POST', body });
  };

  return {
    system,
    async record(agentId, prompt) {
      await until(isQuiet, 'the environment is idle');
      const from = system.logs.length;
      const startedAt = Date.now();
      await (await ask(agentId, prompt)).text();
      await until(isQuiet, 'the environment is idle again', 20_000);
      const endedAt = Date.now();
      if (!ofLambda.Errors && !ofLambda.Throttles) {
        await until(() => isWhole(linesFrom(from)), 'the log has all metrics');
      }
      const dimensions = [{ Name: 'FunctionName', Value: functionName }];
      const more = Object.entries(ofLambda).map(([name, value]) => ({
        atMs: endedAt,
        sample: { series: seriesKey('AWS/Lambda', name, dimensions), value },
      }));
      return recordingOf(linesFrom(from), { startedAt, more, slowedDown: options.slowedDown });
    },
    async recordCrash(agentId, prompt) {
      const from = system.logs.length;
      const startedAt = Date.now();
      const response = await ask(agentId, prompt);
      const { pid, exited } = system.runtime as ServerProcess;
      process.kill(pid, 'SIGUSR2');
      await response.text();
      await exited;
      return recordingOf(linesFrom(from), { startedAt });
    },
    async close() {
      await front.close();
      await system.close();
      await puppet.close();
    },
  };
}

/** Records a start of the server that fails: whoever waited for it has no answer. */
export async function recordFailedStart(options: RecorderOptions): Promise<Recording> {
  const printed: LogEntry[] = [];
  const startedAt = Date.now();
  const nobody = 'http://127.0.0.1:9';
  const isUp = await startSystem({
    ...systemOptions('web', options, nobody),
    onLog: (entry) => printed.push(entry),
  }).then(
    async (system) => {
      await system.close();
      return true;
    },
    () => false,
  );
  if (isUp) throw new Error('the server was to fail at its start, and listens');
  return recordingOf(linesOf(printed), { startedAt });
}

interface Timing {
  readonly startedAt: number;
  readonly slowedDown?: number | undefined;
  /** Samples that are in no line. */
  readonly more?: readonly { atMs: number; sample: Sample }[];
}

function recordingOf(lines: readonly LogLine[], { startedAt, slowedDown = 1, more = [] }: Timing): Recording {
  const emitted = lines
    .filter(isEmf)
    .flatMap((document) => samplesOf(document).map((sample) => ({ atMs: document._aws.Timestamp, sample })));
  return {
    metrics: [...emitted, ...more].map(({ atMs, sample }) => ({
      afterMs: (atMs - startedAt) * slowedDown,
      sample,
    })),
    lines: lines.filter((line) => !isEmf(line)),
  };
}

function linesOf(printed: readonly LogEntry[]): LogLine[] {
  return printed.flatMap(({ line }) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
}

function isEmf(line: LogLine): line is LogLine & EmfDocument {
  return '_aws' in line;
}

/** One document is published per dimension set, the finest one last. */
function isWhole(lines: readonly LogLine[]): boolean {
  const summary = lines.find(({ outcome }) => outcome !== undefined);
  const finest = summary?.outcome === 'complete' ? 'agent' : 'outcome';
  return (
    summary !== undefined && lines.some((line) => isEmf(line) && 'InvocationErrors' in line && finest in line)
  );
}
