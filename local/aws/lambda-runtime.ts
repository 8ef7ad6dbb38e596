import { randomBytes } from 'node:crypto';
import {
  ExecutionEnvironment,
  type InvocationResult,
  type RuntimeApiOptions,
} from './execution-environment.ts';
import { startWatchdog } from './watchdog.ts';

export interface LogEntry {
  /** Number of the environment, from 1. */
  environment: number;
  /** `platform`: what Lambda itself would log. */
  stream: 'stdout' | 'stderr' | 'platform';
  line: string;
}

export interface LambdaRuntimeOptions {
  /** The deployed folder. */
  folder: string;
  /** @default 'index.handler' */
  handler?: string;
  /** The function's own variables, credentials and region included. Nothing of this process's leaks in but PATH. */
  environment: Record<string, string>;
  /** @default 900_000 */
  timeoutMs?: number;
  /** Limit of a cold start, after which its invocation fails. @default 10_000 */
  initTimeoutMs?: number;
  /** Environments at a time; beyond it invocations are throttled. @default 10 */
  maxEnvironments?: number;
  /** Whether idle environments are stopped. @default true */
  freeze?: boolean;
  /** @default each response is answered at its end */
  runtimeApi?: RuntimeApiOptions;
  /** Further modules that environments import before anything else. @default none */
  preload?: string[];
  onLog?: (entry: LogEntry) => void;
}

export interface LambdaRuntime {
  /** Invokes the function; resolves as soon as it begins to answer. */
  invoke(event: unknown, options?: { traceId?: string; requestId?: string }): Promise<InvocationResult>;
  readonly environments: readonly Pick<
    ExecutionEnvironment,
    'id' | 'pid' | 'state' | 'frozen' | 'invocations'
  >[];
  /** Ends every environment; resolves when their processes are gone. */
  close(): Promise<void>;
}

const FUNCTION_NAME = 'agentcore-stream-local';
const REGION = 'us-east-1';

/** Lambda for one function: as many environments as there are concurrent invocations, the warmest first. */
export function startLambdaRuntime(options: LambdaRuntimeOptions): LambdaRuntime {
  const { maxEnvironments = 10, environment, onLog = () => {} } = options;
  const watchdog = startWatchdog();
  let environments: ExecutionEnvironment[] = [];
  let started = 0;
  let closed = false;

  const create = (): ExecutionEnvironment => {
    const id = ++started;
    const created = new ExecutionEnvironment({
      id,
      folder: options.folder,
      handler: options.handler ?? 'index.handler',
      variables: {
        AWS_REGION: REGION,
        AWS_DEFAULT_REGION: REGION,
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_LAMBDA_FUNCTION_NAME: FUNCTION_NAME,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_LAMBDA_LOG_FORMAT: 'JSON',
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${FUNCTION_NAME}`,
        AWS_LAMBDA_LOG_STREAM_NAME: `local/${id}`,
        TZ: ':UTC',
        ...environment,
      },
      preload: options.preload ?? [],
      timeoutMs: options.timeoutMs ?? 900_000,
      ...(options.initTimeoutMs !== undefined && { initTimeoutMs: options.initTimeoutMs }),
      freeze: options.freeze ?? true,
      ...(options.runtimeApi && { runtimeApi: options.runtimeApi }),
      functionArn: `arn:aws:lambda:${REGION}:111122223333:function:${FUNCTION_NAME}`,
      onLog: (stream, line) => onLog({ environment: id, stream, line }),
      onSpawn: (child) => watchdog.watch(child),
      onExit: () => {
        environments = environments.filter((other) => other !== created);
      },
    });
    environments.push(created);
    created.start();
    return created;
  };

  return {
    get environments() {
      return environments;
    },
    invoke(event, { traceId = untracedId(), requestId } = {}) {
      const warmest = environments
        .filter(({ state }) => state === 'idle')
        .toSorted((a, b) => b.lastUsedAt - a.lastUsedAt)[0];
      if (warmest) return warmest.invoke(event, traceId, requestId);
      const alive = environments.filter(({ state }) => state !== 'gone').length;
      if (closed || alive >= maxEnvironments) return Promise.resolve({ kind: 'throttled' });
      return create().invoke(event, traceId, requestId);
    },
    async close() {
      closed = true;
      await Promise.all(environments.map((open) => open.kill()));
      watchdog.close();
    },
  };
}

/** What Lambda makes of a request without a trace header: a trace of its own, not sampled. */
export function untracedId(): string {
  const epoch = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${epoch}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}
