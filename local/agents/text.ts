/** A text cut as a model would emit it: words, each with the space before it. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*\S+|\s+/g) ?? [];
}

const LINE_BYTES = 64;
const MESSAGE_BYTES = 60_000;

/** So many bytes of ASCII text, always the same, every line different, in messages of about 60 KB. */
export function* fillerText(bytes: number): Generator<string> {
  let message = '';
  for (let at = 0; at < bytes; at += LINE_BYTES) {
    const line = `${String(at).padStart(12, '0')} the quick brown fox jumps over the lazy dog`.padEnd(
      LINE_BYTES - 1,
      '.',
    );
    message += `${line}\n`.slice(0, bytes - at);
    if (message.length >= MESSAGE_BYTES) {
      yield message;
      message = '';
    }
  }
  if (message) yield message;
}
