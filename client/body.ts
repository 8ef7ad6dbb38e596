/** The body of a response, read as text. */
export interface BodyReader {
  /**
   * Reads the next text; undefined at the end.
   *
   * @throws the signal's reason once the signal is aborted, otherwise the error that broke the connection
   */
  read(): Promise<string | undefined>;
  /** Cancels the body, which closes its connection. */
  cancel(): void;
  /** Reads the end of a body that has no more data, so that its connection can serve the next request. */
  finish(): void;
}

/**
 * Creates a reader of a body that stops when `signal` is aborted, even if a custom fetch ignores the signal. The caller
 * must call `cancel` or `finish` in the end: both remove the listener from the signal.
 */
export function createBodyReader(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): BodyReader {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const cancel = () => {
    signal?.removeEventListener('abort', cancel);
    // A cancelled reader also ends a read that waits.
    reader.cancel(signal?.reason).catch(() => {});
  };
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted) cancel();

  return {
    async read() {
      try {
        const { done, value } = await reader.read();
        return done ? undefined : decoder.decode(value, { stream: true });
      } finally {
        signal?.throwIfAborted();
      }
    },
    cancel,
    finish() {
      signal?.removeEventListener('abort', cancel);
      reader.read().catch(() => {});
    },
  };
}

/** Settles as the promise does, or rejects with the signal's reason if the signal is aborted first. */
export function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
