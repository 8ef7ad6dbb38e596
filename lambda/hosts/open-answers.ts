import { StreamError } from '../errors.ts';

/** One running answer. */
interface OpenAnswer {
  abort: AbortController;
  ended: Promise<void>;
}

/** The running answers of a server. It limits their number, and ends them when the server shuts down. */
export class OpenAnswers {
  readonly #open = new Set<OpenAnswer>();
  readonly #maxStreams: number;
  #isClosing = false;

  constructor(maxStreams: number) {
    this.#maxStreams = maxStreams;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Returns why a request is refused, if it is. The request is already counted. A full server still answers the health
   * check: otherwise a load balancer would replace it, together with its running answers. A server that shuts down
   * refuses the health check, too.
   */
  refusal(route: string): StreamError | undefined {
    if (this.#isClosing) return unavailable('this server is shutting down');
    if (this.#open.size <= this.#maxStreams || route === 'health') return undefined;
    return unavailable('this server already runs as many answers as it may');
  }

  /**
   * Runs an answer, and counts it until it ends.
   *
   * @param answer a function whose promise never rejects
   */
  run(abort: AbortController, answer: () => Promise<void>): void {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const open = { abort, ended };
    this.#open.add(open);
    void answer().then(() => {
      this.#open.delete(open);
      resolve();
    });
  }

  /**
   * Refuses new requests and waits until all answers end. Answers that still run after the grace end with an error.
   *
   * @param hardLimitMs the longest wait after the grace, because some readers may take nothing
   */
  async close(graceMs: number, hardLimitMs: number): Promise<void> {
    this.#isClosing = true;
    if (await this.#allEndWithin(graceMs)) return;
    for (const { abort } of this.#open) {
      abort.abort(new StreamError('AgentInterrupted', 'this server is shutting down'));
    }
    await this.#allEndWithin(hardLimitMs);
  }

  async #allEndWithin(limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([Promise.all([...this.#open].map(({ ended }) => ended)), late]);
    clearTimeout(timer);
    return this.#open.size === 0;
  }
}

function unavailable(message: string): StreamError {
  return new StreamError('AgentUnavailable', message);
}
