import type { LocalRuntime } from './local-runtime.ts';
import { Refusal } from './refusal.ts';

/** One session of a runtime: in AWS a microVM of its own. */
interface Session {
  state: 'starting' | 'up' | 'ending';
  /** Resolves when the session can serve. */
  started: Promise<void>;
  /** Ends what is open on it. */
  open: Set<() => void>;
}

/** How many tokens of StopRuntimeSession are remembered. */
const MAX_TOKENS = 1000;

/**
 * The sessions of all runtimes: each takes its time to start, and lasts until it is stopped.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-sessions.html
 */
export class RuntimeSessions {
  /** How many were started so far. */
  starts = 0;
  readonly #startMs: number;
  readonly #sessions = new Map<string, Session>();
  /** What each token has stopped. */
  readonly #stopped = new Map<string, string>();

  /** @param startMs how long a session takes to start, in milliseconds */
  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /**
   * Waits for the session of a request, which the first one starts; those that come meanwhile wait for the same start.
   *
   * @param end is called when the session is stopped
   * @returns what the request calls when it is over, or AgentCore's refusal while the session is being torn down
   */
  async join(runtime: LocalRuntime, sessionId: string, end: () => void): Promise<(() => void) | Refusal> {
    const key = keyOf(runtime, sessionId);
    const session = this.#sessions.get(key) ?? this.#start(key);
    if (session.state === 'ending') return inTransition('torn down');
    session.open.add(end);
    if (session.state === 'starting') await session.started;
    return () => session.open.delete(end);
  }

  /** Whether a session has started and was not stopped. */
  isUp(runtime: Pick<LocalRuntime, 'runtimeArn'>, sessionId: string): boolean {
    return this.#sessions.get(keyOf(runtime, sessionId))?.state === 'up';
  }

  /**
   * Stops a session: what is open on it ends, and its container forgets it.
   *
   * @param clientToken a request with the token of an earlier one does nothing, and is answered as that one was
   * @returns AgentCore's refusal where there is nothing to stop
   * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_StopRuntimeSession.html
   */
  async stop(runtime: LocalRuntime, sessionId: string, clientToken?: string): Promise<Refusal | undefined> {
    const key = keyOf(runtime, sessionId);
    if (clientToken !== undefined && this.#stopped.has(clientToken)) {
      return this.#stopped.get(clientToken) === key ? undefined : tokenReused();
    }
    const session = this.#sessions.get(key);
    if (!session) {
      return new Refusal(
        404,
        'ResourceNotFoundException',
        `Session ${sessionId} not found or already terminated`,
      );
    }
    if (session.state !== 'up') {
      return inTransition(session.state === 'starting' ? 'provisioned' : 'torn down');
    }
    session.state = 'ending';
    if (clientToken !== undefined) this.#remember(clientToken, key);
    for (const end of session.open) end();
    try {
      await runtime.endSession?.(sessionId);
    } finally {
      this.#sessions.delete(key);
    }
    return undefined;
  }

  #start(key: string): Session {
    this.starts += 1;
    const session: Session = { state: 'up', started: Promise.resolve(), open: new Set() };
    this.#sessions.set(key, session);
    if (this.#startMs === 0) return session;
    session.state = 'starting';
    session.started = new Promise((resolve) => {
      setTimeout(() => {
        session.state = 'up';
        resolve();
      }, this.#startMs).unref();
    });
    return session;
  }

  #remember(token: string, key: string): void {
    this.#stopped.set(token, key);
    const [oldest] = this.#stopped.keys();
    if (this.#stopped.size > MAX_TOKENS && oldest !== undefined) this.#stopped.delete(oldest);
  }
}

function keyOf({ runtimeArn }: Pick<LocalRuntime, 'runtimeArn'>, sessionId: string): string {
  return `${runtimeArn} ${sessionId}`;
}

function inTransition(how: 'provisioned' | 'torn down'): Refusal {
  return new Refusal(
    409,
    'RetryableConflictException',
    `The session is currently being ${how}. Please retry the request.`,
  );
}

function tokenReused(): Refusal {
  return new Refusal(400, 'ValidationException', 'clientToken was used with other parameters', {
    reason: 'IdempotentParameterMismatchException',
  });
}
