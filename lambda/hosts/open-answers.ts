import { StreamError } from '../errors.ts';

/** One answer that is under way. */
interface OpenAnswer {
  abort: AbortController;
  over: Promise<void>;
}

/** The answers that a server has under way: how many there may be, and how they end when the server does. */
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
   * Why a request, which is counted already, is not answered, if it is not. A server that is full still tells its health, as whoever asks
   * would replace it, with all that is under way; one that shuts down does not.
   */
  refusal(route: string): StreamError | undefined {
    if (this.#isClosing) return unavailable('this server is shutting down');
    if (this.#open.size <= this.#maxStreams || route === 'health') return undefined;
    return unavailable('this server has as many answers under way as it may');
  }

  /**
   * Counts an answer from now on until it is over.
   *
   * @param answer never rejects
   */
  run(abort: AbortController, answer: () => Promise<void>): void {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const open = { abort, over };
    this.#open.add(open);
    void answer().then(() => {
      this.#open.delete(open);
      resolve();
    });
  }

  /**
   * Refuses whatever comes from now on, and waits until all answers are over; those that are not after the grace end
   * with an error.
   *
   * @param hardLimitMs after the grace, for readers that take nothing; resolves then
   */
  async close(graceMs: number, hardLimitMs: number): Promise<void> {
    this.#isClosing = true;
    if (await this.#over(graceMs)) return;
    for (const { abort } of this.#open) {
      abort.abort(new StreamError('AgentInterrupted', 'this server is shutting down'));
    }
    await this.#over(hardLimitMs);
  }

  /** Whether all of them are over within the limit. */
  async #over(limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([Promise.all([...this.#open].map(({ over }) => over)), late]);
    clearTimeout(timer);
    return this.#open.size === 0;
  }
}

function unavailable(message: string): StreamError {
  return new StreamError('AgentUnavailable', message);
}
