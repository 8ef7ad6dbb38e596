/**
 * Lets requests begin one by one, each in its own turn of the event loop. When many requests arrive at once, running
 * answers are served between two beginnings. A beginning takes a thousand times as long as passing on a chunk.
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
