/**
 * Does things later, in the order in which they were given, each not before its time. There is one timer, for the
 * head: with a timer for each, Node keeps a list per whole millisecond of duration, and what is due in 19.9 ms may run
 * before what was given earlier and is due in 20.1.
 */
export class DelayLine {
  readonly #waiting: { dueAt: number; action: () => void }[] = [];

  /**
   * Does something when its time has come and everything before it is done; at once where nothing is waited for.
   *
   * @param dueAt by `performance.now()`
   */
  at(dueAt: number, action: () => void): void {
    this.#waiting.push({ dueAt, action });
    if (this.#waiting.length === 1) this.#run();
  }

  readonly #run = (): void => {
    for (let head = this.#waiting[0]; head; head = this.#waiting[0]) {
      const ms = head.dueAt - performance.now();
      if (ms > 0) {
        setTimeout(this.#run, ms);
        return;
      }
      // It leaves the line afterwards, so that what it gives in turn waits for its end.
      head.action();
      this.#waiting.shift();
    }
  };
}
