/** The body of a response, read as text. */
export interface BodyReader {
  /**
   * The text that comes next; undefined at the end.
   *
   * @throws the signal's reason once that is aborted; else what broke the connection
   */
  read(): Promise<string | undefined>;
  /** Gives the body up, which closes its connection. */
  cancel(): void;
  /** Takes the end of a body of which nothing else is left: the connection then serves the next request. */
  finish(): void;
}

/**
 * Reads a body until its end or until `signal` is aborted, also where a replaced fetch did not pass the signal on.
 * Whoever has begun calls `cancel` or `finish` at last: either takes the listener off the signal.
 */
export function createBodyReader(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): BodyReader {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const cancel = () => {
    signal?.removeEventListener('abort', cancel);
    // This ends a read that is waiting, too.
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

/** Settles as the promise does, or rejects with the signal's reason if that is aborted before. */
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
