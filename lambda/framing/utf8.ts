import { isUtf8 } from 'node:buffer';

/** The text of a piece of bytes. */
export interface Utf8Piece {
  /** The text before the first byte that cannot be UTF-8, or the whole text. */
  text: string;
  /** Whether all bytes can be UTF-8. */
  isValid: boolean;
}

const REPLACEMENT = Buffer.from('\ufffd');

/**
 * Reads the binary messages of one exchange. A character may be cut between two messages. A byte order mark is kept.
 */
export class Utf8Reader {
  /** The beginning of a character that is not complete yet. */
  #held: Buffer = Buffer.alloc(0);

  read(bytes: Buffer): Utf8Piece {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const end = all.length - unfinishedBytes(all);
    this.#held = all.subarray(end);
    return decode(all.subarray(0, end));
  }

  /** Tells whether the last character is complete; to be called after the last message. */
  end(): Utf8Piece {
    return { text: '', isValid: this.#held.length === 0 };
  }
}

/** Returns the number of bytes at the end that begin a character but do not complete it. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    const isContinuation = (byte & 0xc0) === 0x80;
    if (isContinuation) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

function decode(bytes: Buffer): Utf8Piece {
  const text = bytes.toString();
  if (isUtf8(bytes)) return { text, isValid: true };
  // The first bad byte is where the text has a replacement character and the bytes have none.
  let offset = 0;
  let from = 0;
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', from)) {
    offset += Buffer.byteLength(text.slice(from, at));
    if (!bytes.subarray(offset, offset + REPLACEMENT.length).equals(REPLACEMENT)) {
      return { text: text.slice(0, at), isValid: false };
    }
    offset += REPLACEMENT.length;
    from = at + 1;
  }
  return { text, isValid: false };
}
