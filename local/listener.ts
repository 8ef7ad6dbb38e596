/**
 * Makes a listener whose failures are heard. An event emitter does not look at what a listener returns, so that the
 * rejection of an async one, as well as what a plain one throws, would end the process.
 *
 * @param run the listener, async or not
 * @param onFailure is told what it rejected with or threw, and the arguments of that call; it must not fail
 */
export function listener<Args extends unknown[]>(
  run: (...args: Args) => unknown,
  onFailure: (error: unknown, ...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    Promise.try(run, ...args).catch((error: unknown) => onFailure(error, ...args));
  };
}
