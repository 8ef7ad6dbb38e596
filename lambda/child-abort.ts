/** A controller that is aborted with another signal, too. */
export interface ChildAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Lets go of the other signal; to be called in the end, unless it is aborted. */
  release(): void;
}

/**
 * Makes a controller that is aborted with a signal, too. `AbortSignal.any` does the same with weak references and a
 * registry for finalization, which is kilobytes for each connection.
 */
export function childAbort(parent: AbortSignal): ChildAbort {
  const child = new AbortController();
  const onAbort = () => child.abort(parent.reason);
  const release = () => parent.removeEventListener('abort', onAbort);
  parent.addEventListener('abort', onAbort, { once: true });
  if (parent.aborted) onAbort();
  return {
    signal: child.signal,
    abort(reason) {
      release();
      child.abort(reason);
    },
    release,
  };
}
