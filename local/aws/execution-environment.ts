import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { listener } from '../listener.ts';

/** How one invocation ended, as the platform sees it. */
export interface InvocationOutcome {
  status: 'success' | 'error' | 'timeout' | 'crash';
  durationMs: number;
  coldStart: boolean;
  errorType?: string;
}

/** What the function gives back, as soon as it begins to. */
export type InvocationResult =
  | { kind: 'throttled' }
  | {
      kind: 'stream';
      requestId: string;
      contentType: string;
      /**
       * Prelude included; error trailers behind it. Destroyed with an error when the environment dies before
       * the end. Whoever does not want the rest must `resume()` it: the environment waits for its reader.
       */
      body: IncomingMessage;
      outcome: Promise<InvocationOutcome>;
    }
  | { kind: 'buffered'; requestId: string; body: Buffer; outcome: Promise<InvocationOutcome> }
  | {
      kind: 'error';
      requestId: string;
      error: { errorType?: string; errorMessage?: string };
      outcome: Promise<InvocationOutcome>;
    };

/** When the Runtime API answers a response that is streamed to it. */
export interface RuntimeApiOptions {
  /** How long after its end. Until then the stream is not closed, and a late write costs the process. @default 0 */
  answerAfterMs?: number;
  /**
   * So long after its first byte, whatever has come of it; then the connection is closed. The platform does so with
   * a response over its limits. @default never
   */
  answerEarlyAfterMs?: number;
}

export interface EnvironmentOptions {
  id: number;
  folder: string;
  handler: string;
  variables: Record<string, string>;
  preload: string[];
  timeoutMs: number;
  /** From the start to the first poll. @default 10_000, as in Lambda */
  initTimeoutMs?: number;
  freeze: boolean;
  /** @default each response is answered at its end */
  runtimeApi?: RuntimeApiOptions;
  functionArn: string;
  onLog: (stream: 'stdout' | 'stderr' | 'platform', line: string) => void;
  onSpawn: (child: ChildProcess) => void;
  /** The process is gone; the environment serves nothing any more. */
  onExit: () => void;
}

interface Current {
  requestId: string;
  resolve: (result: InvocationResult) => void;
  outcome: Promise<InvocationOutcome>;
  settle: (outcome: Omit<InvocationOutcome, 'durationMs' | 'coldStart'>) => void;
  deadline: NodeJS.Timeout;
  answered: boolean;
  /** The body under way. */
  body?: IncomingMessage;
  errorType?: string;
}

/** What Lambda very likely starts node with; they change V8's flag hash, and with it the cold start. */
const LAMBDA_FLAGS = ['--expose-gc', '--max-semi-space-size=25', '--max-old-space-size=460'];
const RUNTIME_CLIENT = createRequire(import.meta.url).resolve('aws-lambda-ric');
const PRELOAD = join(import.meta.dirname, 'ric-preload.mjs');

/**
 * One process with AWS's runtime client in front of a function, and the Runtime API that it talks to. It serves
 * one invocation at a time and is stopped (SIGSTOP) in between.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class ExecutionEnvironment {
  readonly id: number;
  state: 'starting' | 'busy' | 'idle' | 'gone' = 'starting';
  frozen = false;
  invocations = 0;
  /** Order of last use, for most recently used first. */
  lastUsedAt = 0;
  readonly #options: EnvironmentOptions;
  readonly #server: Server;
  /** Whether the runtime has polled: it has loaded the function, and can no more fail to. */
  #initialised = false;
  #child: ChildProcess | undefined;
  /** The runtime's poll for the next invocation. */
  #poll: ServerResponse | undefined;
  #event: { requestId: string; body: string; traceId: string } | undefined;
  #current: Current | undefined;
  readonly #exited = Promise.withResolvers<void>();

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.id = options.id;
    this.#server = createServer(
      // A request that breaks off; what it was for is settled when the process exits.
      listener(
        (request: IncomingMessage, response: ServerResponse) => this.#onRequest(request, response),
        (_error, _request, response) => {
          response.destroy();
        },
      ),
    );
    // A process that stands still for minutes must find its connection open.
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
    this.#server.headersTimeout = 0;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts the process; the first invocation may be given at once. */
  start(): void {
    this.#server.listen(0, '127.0.0.1', () => {
      if (this.state === 'gone') return;
      const { port } = this.#server.address() as AddressInfo;
      const { folder, handler, variables, preload, onLog, onSpawn } = this.#options;
      const imports = [PRELOAD, ...preload].flatMap((module) => ['--import', module]);
      const child = spawn(process.execPath, [...LAMBDA_FLAGS, ...imports, RUNTIME_CLIENT], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        // Not in our process group: a Ctrl-C is ours to handle.
        detached: true,
        env: {
          PATH: process.env.PATH,
          ...variables,
          _HANDLER: handler,
          LAMBDA_TASK_ROOT: folder,
          AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
          AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: 'true',
        },
      });
      this.#child = child;
      onSpawn(child);
      createInterface({ input: child.stdout }).on('line', (line) => onLog('stdout', line));
      createInterface({ input: child.stderr }).on('line', (line) => onLog('stderr', line));
      child.once('error', () => this.#onExit('could not be started'));
      child.once('exit', (code, signal) => this.#onExit(signal ?? `code ${code}`));
    });
  }

  /** Gives the environment an event; it must not be busy. */
  invoke(event: unknown, traceId: string, requestId: string = randomUUID()): Promise<InvocationResult> {
    const { timeoutMs, initTimeoutMs = 10_000 } = this.#options;
    const { promise, resolve } = Promise.withResolvers<InvocationResult>();
    const outcome = Promise.withResolvers<InvocationOutcome>();
    const startedAt = performance.now();
    const coldStart = this.invocations === 0;
    this.invocations += 1;
    this.state = 'busy';
    this.#current = {
      requestId,
      resolve,
      outcome: outcome.promise,
      settle: (ending) => {
        clearTimeout(this.#current?.deadline);
        this.#current = undefined;
        outcome.resolve({ ...ending, coldStart, durationMs: Math.round(performance.now() - startedAt) });
      },
      // The function's own time runs from when it gets the event: initialisation has a limit of its own.
      deadline: setTimeout(() => this.#onTimeout(initTimeoutMs), initTimeoutMs),
      answered: false,
    };
    this.#event = { requestId, body: JSON.stringify(event), traceId };
    if (this.#poll) this.#deliver(timeoutMs);
    return promise;
  }

  /** Ends the process, also a stopped one; resolves when it is gone. Who waits for an answer gets an error. */
  kill(): Promise<void> {
    this.state = 'gone';
    clearTimeout(this.#current?.deadline);
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#child) this.#child.kill('SIGKILL');
    else this.#onExit('SIGKILL');
    return this.#exited.promise;
  }

  #deliver(timeoutMs: number): void {
    const poll = this.#poll;
    const event = this.#event;
    const current = this.#current;
    if (!poll || !event || !current) return;
    this.#poll = undefined;
    this.#event = undefined;
    clearTimeout(current.deadline);
    current.deadline = setTimeout(() => this.#onTimeout(timeoutMs), timeoutMs);
    poll.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': event.requestId,
      'lambda-runtime-deadline-ms': String(Date.now() + timeoutMs),
      'lambda-runtime-invoked-function-arn': this.#options.functionArn,
      'lambda-runtime-trace-id': event.traceId,
    });
    // The event is on the wire before the process goes on, as it is in Lambda.
    poll.end(event.body);
    if (this.frozen) {
      this.frozen = false;
      this.#child?.kill('SIGCONT');
    }
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    const path = request.url ?? '';
    if (path.endsWith('/invocation/next')) return this.#onNext(response);
    if (path.endsWith('/init/error')) return this.#onInitError(request, response);
    const id = /\/invocation\/([^/]+)\//.exec(path)?.[1];
    if (!this.#current || id !== encodeURIComponent(this.#current.requestId)) {
      request.resume();
      response.writeHead(400).end();
      return;
    }
    if (path.endsWith('/error')) return this.#onError(request, response, this.#current);
    if (request.headers['lambda-runtime-function-response-mode'] === 'streaming') {
      return this.#onStream(request, response, this.#current);
    }
    return this.#onBuffered(request, response, this.#current);
  }

  #onNext(response: ServerResponse): void {
    this.#initialised = true;
    this.#poll = response;
    const { timeoutMs, freeze } = this.#options;
    if (this.#event) return this.#deliver(timeoutMs);
    this.#settleIfOver();
    if (this.#current) return;
    this.state = 'idle';
    this.lastUsedAt = performance.now();
    if (freeze) {
      this.frozen = true;
      this.#child?.kill('SIGSTOP');
    }
  }

  /** An invocation is over when its answer is complete and the runtime asks for the next one. */
  #settleIfOver(): void {
    const current = this.#current;
    if (!current || !this.#poll || !current.answered) return;
    const { errorType } = current;
    current.settle(errorType ? { status: 'error', errorType } : { status: 'success' });
  }

  #onStream(request: IncomingMessage, response: ServerResponse, current: Current): void {
    const { requestId, outcome } = current;
    const { answerAfterMs = 0, answerEarlyAfterMs } = this.#options.runtimeApi ?? {};
    current.body = request;
    const answer = (status: number, onAnswered = () => {}) => {
      if (current.answered) return;
      current.answered = true;
      response.writeHead(status).end(onAnswered);
      // The poll came first where the runtime does not wait for this answer.
      if (this.#poll) this.#onNext(this.#poll);
    };
    request.on('error', () => {});
    request.on('end', () => {
      delete current.body;
      const errorType = request.trailers['lambda-runtime-function-error-type'];
      if (errorType) current.errorType = errorType;
      if (answerAfterMs === 0) answer(202);
      else setTimeout(answer, answerAfterMs, 202);
    });
    if (answerEarlyAfterMs !== undefined) {
      const refuse = () => request.destroy(new Error('the platform takes no more of this response'));
      setTimeout(answer, answerEarlyAfterMs, 413, refuse);
    }
    const contentType = request.headers['content-type'] ?? 'application/octet-stream';
    current.resolve({ kind: 'stream', requestId, contentType, body: request, outcome });
  }

  async #onBuffered(request: IncomingMessage, response: ServerResponse, current: Current): Promise<void> {
    const body = await bodyOf(request);
    current.answered = true;
    response.writeHead(202).end();
    current.resolve({ kind: 'buffered', requestId: current.requestId, body, outcome: current.outcome });
    if (this.#poll) this.#onNext(this.#poll);
  }

  async #onError(request: IncomingMessage, response: ServerResponse, current: Current): Promise<void> {
    const error = parseError(await bodyOf(request));
    current.answered = true;
    current.errorType = error.errorType ?? 'Unknown';
    response.writeHead(202).end();
    current.resolve({ kind: 'error', requestId: current.requestId, error, outcome: current.outcome });
    if (this.#poll) this.#onNext(this.#poll);
  }

  /** @see https://github.com/aws/aws-lambda-runtime-interface-emulator internal/lambda/core/states.go: only while it starts */
  async #onInitError(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const error = parseError(await bodyOf(request));
    if (this.#initialised) {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          errorType: 'InvalidStateTransition',
          errorMessage: 'the runtime has been initialised',
        }),
      );
      return;
    }
    response.writeHead(202).end();
    this.#options.onLog('platform', `INIT_REPORT error ${error.errorType}: ${error.errorMessage}`);
    this.#failCurrent('error', error);
    void this.kill();
  }

  #onTimeout(limitMs: number): void {
    const seconds = (limitMs / 1000).toFixed(2);
    this.#options.onLog('platform', `${this.#current?.requestId} Task timed out after ${seconds} seconds`);
    this.#failCurrent('timeout', {
      errorType: 'Sandbox.Timedout',
      errorMessage: `Task timed out after ${seconds} seconds`,
    });
    void this.kill();
  }

  #onExit(how: string): void {
    const expected = this.state === 'gone';
    this.state = 'gone';
    if (!expected) this.#options.onLog('platform', `RuntimeError environment ${this.id} exited with ${how}`);
    this.#failCurrent('crash', {
      errorType: 'Runtime.ExitError',
      errorMessage: `Runtime exited with ${how}`,
    });
    this.#server.close();
    this.#server.closeAllConnections();
    this.#exited.resolve();
    this.#options.onExit();
  }

  #failCurrent(
    status: 'error' | 'timeout' | 'crash',
    error: { errorType?: string; errorMessage?: string },
  ): void {
    const current = this.#current;
    if (!current) return;
    current.body?.destroy(new Error(error.errorMessage));
    // Has no effect where the answer had begun: the caller sees it truncated.
    current.resolve({ kind: 'error', requestId: current.requestId, error, outcome: current.outcome });
    current.settle({ status, ...(error.errorType && { errorType: error.errorType }) });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function parseError(body: Buffer): { errorType?: string; errorMessage?: string } {
  try {
    return JSON.parse(body.toString()) as { errorType?: string; errorMessage?: string };
  } catch {
    return {};
  }
}
