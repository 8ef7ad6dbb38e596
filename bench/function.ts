import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { ENV } from '../lambda/contract.ts';
import { ExecutionEnvironment, type InvocationOutcome } from '../local/aws/execution-environment.ts';
import { toEvent } from '../local/aws/function-url-event.ts';
import { LOCAL_CREDENTIALS } from '../local/system.ts';
import type { Contender } from './contenders.ts';
import { nowUs, type Scenario, takeStamps } from './inputs.ts';
import { cpuNs } from './process-usage.ts';
import { AGENT_ARN, CA_FILE } from './upstream.ts';

export interface FunctionOptions {
  /** Origin of the data plane. */
  endpoint: string;
  /** Whether it is stopped between invocations, as Lambda does. */
  freeze: boolean;
}

export interface AskOptions {
  sessionId?: string;
  /** Of the reader. @default no limit */
  bytesPerSecond?: number;
  /** Read the time of every message, not only of the first. */
  readStamps?: boolean;
  keepText?: boolean;
}

/** One answer as its caller saw it; times in milliseconds. */
export interface Answer {
  firstByteMs: number;
  firstChunkMs: number;
  /** From the first chunk to the end of the answer. */
  restMs: number;
  /** From the end of the answer until the function waits for an invocation again. */
  afterMs: number;
  /** From the agent's sending to our reading, per message; the first only without `readStamps`. */
  lagsMs: number[];
  /** CPU time of the function from the first chunk to the end; undefined where it cannot be told. */
  restCpuMs: number | undefined;
  text: string;
  /** How the body ended: completely, or with an error of the connection or the function. */
  broke: boolean;
  outcome: InvocationOutcome['status'];
}

const DELIMITER = '\0'.repeat(8);
const REGION = 'us-east-1';
let functions = 0;

/** One environment of a contender under AWS's runtime client, without the Function URL before it. */
export class BenchFunction {
  /** Milliseconds from the start of the process to its first poll. */
  readonly initMs: Promise<number>;
  readonly #environment: ExecutionEnvironment;
  #spawnedAtUs = 0;

  constructor({ folder }: Contender, { endpoint, freeze }: FunctionOptions) {
    functions += 1;
    this.#environment = new ExecutionEnvironment({
      id: functions,
      folder,
      handler: 'index.handler',
      variables: variablesFor(endpoint),
      preload: [],
      timeoutMs: 120_000,
      freeze,
      functionArn: `arn:aws:lambda:${REGION}:111122223333:function:bench`,
      onLog: (stream, line) => {
        if (process.env.BENCH_LOGS) console.error(stream, line);
      },
      onSpawn: () => {
        this.#spawnedAtUs = nowUs();
      },
      onExit: () => {},
    });
    this.initMs = this.#untilIdle();
  }

  get pid(): number {
    return this.#environment.pid;
  }

  get isAlive(): boolean {
    return this.#environment.state !== 'gone';
  }

  start(): this {
    this.#environment.start();
    return this;
  }

  /** Milliseconds since the process was started. */
  sinceSpawnMs(atUs: number): number {
    return (atUs - this.#spawnedAtUs) / 1000;
  }

  /** Asks and reads to the end. A cold function may be asked at once. */
  async ask(scenario: Scenario, options: AskOptions = {}): Promise<Answer & { firstChunkAtUs: number }> {
    const { sessionId = randomUUID() } = options;
    const event = toEvent({
      method: 'POST',
      target: '/',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ agentId: 'bench', prompt: JSON.stringify(scenario), sessionId })),
      sourceIp: '127.0.0.1',
    });
    const askedAtUs = nowUs();
    const result = await this.#environment.invoke(
      event,
      'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0',
    );
    if (result.kind !== 'stream') {
      throw new Error(`the function did not answer: ${JSON.stringify(result)}`);
    }
    const reading = await read(result.body, this.pid, options);
    const endedAtUs = nowUs();
    const { status } = await result.outcome;
    return {
      ...reading,
      afterMs: (nowUs() - endedAtUs) / 1000,
      firstByteMs: (reading.firstByteAtUs - askedAtUs) / 1000,
      firstChunkMs: (reading.firstChunkAtUs - askedAtUs) / 1000,
      outcome: status,
    };
  }

  /** Until it waits for an invocation again. */
  async idle(): Promise<void> {
    while (this.#environment.state === 'busy') await new Promise((resolve) => setTimeout(resolve, 1));
  }

  close(): void {
    this.#environment.kill();
  }

  /** A timer would tell the first poll to a millisecond only, and take CPU from what it waits for. */
  #untilIdle(): Promise<number> {
    const environment = this.#environment;
    const { promise, resolve } = Promise.withResolvers<number>();
    let state = environment.state;
    Object.defineProperty(environment, 'state', {
      get: () => state,
      set: (next: typeof state) => {
        if (state === 'starting' && next === 'idle') resolve(this.sinceSpawnMs(nowUs()));
        state = next;
      },
    });
    return promise;
  }
}

function variablesFor(endpoint: string): Record<string, string> {
  const agents = [{ id: 'bench', name: 'BenchAgent', runtimeArn: AGENT_ARN }];
  return {
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: 'JSON',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/bench',
    AWS_LAMBDA_LOG_STREAM_NAME: 'bench',
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: LOCAL_CREDENTIALS.sessionToken,
    [ENV.AGENTS]: JSON.stringify(agents),
    // Each library's own name for the same data plane.
    [ENV.ENDPOINT_URL]: endpoint,
    BEDROCK_AGENTCORE_DATA_PLANE_ENDPOINT: endpoint,
    AGENT_RUNTIME_ARN: AGENT_ARN,
    ...(endpoint.startsWith('https') && { NODE_EXTRA_CA_CERTS: CA_FILE }),
    TZ: ':UTC',
  };
}

interface Reading extends Omit<Answer, 'firstByteMs' | 'firstChunkMs' | 'afterMs' | 'outcome'> {
  firstByteAtUs: number;
  firstChunkAtUs: number;
}

/** Reads a body behind its prelude, noting when what came. */
async function read(body: Readable, pid: number, options: AskOptions): Promise<Reading> {
  const { bytesPerSecond, readStamps = false, keepText = false } = options;
  const lagsMs: number[] = [];
  let inPrelude = true;
  let held = '';
  let text = '';
  let firstByteAtUs = 0;
  let firstChunkAtUs = 0;
  let cpuAtFirstChunk: number | undefined;
  let broke = false;
  let dueAt = performance.now();
  body.on('data', (part: Buffer) => {
    const atUs = nowUs();
    if (bytesPerSecond) {
      dueAt = Math.max(dueAt, performance.now()) + (part.length / bytesPerSecond) * 1000;
      const waitMs = dueAt - performance.now();
      if (waitMs > 1) {
        body.pause();
        setTimeout(() => body.resume(), waitMs);
      }
    }
    if (firstChunkAtUs > 0 && !readStamps && !keepText) return;
    held += part.toString('latin1');
    if (inPrelude) {
      const end = held.indexOf(DELIMITER);
      if (end < 0) return;
      inPrelude = false;
      held = held.slice(end + DELIMITER.length);
    }
    if (held.length > 0) firstByteAtUs ||= atUs;
    if (keepText) text += held;
    const { sentAtUs, rest } = takeStamps(held);
    held = rest;
    for (const sentUs of sentAtUs) lagsMs.push((atUs - sentUs) / 1000);
    if (sentAtUs.length === 0 || firstChunkAtUs > 0) return;
    firstChunkAtUs = atUs;
    cpuAtFirstChunk = cpuNs(pid);
  });
  await once(body, 'end').catch(() => {
    broke = true;
  });
  const cpuAtEnd = cpuNs(pid);
  return {
    firstByteAtUs,
    firstChunkAtUs,
    restMs: (nowUs() - firstChunkAtUs) / 1000,
    lagsMs,
    restCpuMs:
      cpuAtEnd === undefined || cpuAtFirstChunk === undefined
        ? undefined
        : (cpuAtEnd - cpuAtFirstChunk) / 1e6,
    text,
    broke,
  };
}
