import type { IncomingMessage } from 'node:http';

/** The most bytes that are read of an error's body. */
const MAX_ANSWER_BYTES = 16_384;
const ANSWER_TIMEOUT_MS = 1000;

/** Reads the start of an error's body, or the part that arrives before it breaks off or takes longer than a second. */
export async function bodyOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => answer.destroy(), ANSWER_TIMEOUT_MS);
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part);
      length += part.length;
      if (length >= MAX_ANSWER_BYTES) break;
    }
  } catch {
    // The status tells enough without a body.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(parts).toString('utf8', 0, MAX_ANSWER_BYTES);
}
