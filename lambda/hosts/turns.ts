/**
 * Lets requests begin one by one, each in a turn of the event loop of its own. When a crowd arrives at once, the running
 * answers are served between two beginnings, which take a thousand times as long as passing on a chunk.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Settles when the next request may begin. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#beginOne());
    });
  }

  #beginOne(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(() => this.#beginOne());
  }
}
