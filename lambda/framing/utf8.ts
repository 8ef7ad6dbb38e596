import { isUtf8 } from 'node:buffer';

/** Text from bytes that were cut anywhere. `isValid` is false from the first byte on that cannot be UTF-8. */
export interface Utf8Piece {
  /** What came before that byte. */
  text: string;
  isValid: boolean;
}

const REPLACEMENT = Buffer.from('\ufffd');

/** Reads the binary messages of one exchange, in which a character may be cut between two. A BOM is kept. */
export class Utf8Reader {
  /** The start of a character that is not whole yet. */
  #held: Buffer = Buffer.alloc(0);

  read(bytes: Buffer): Utf8Piece {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const end = all.length - unfinishedBytes(all);
    this.#held = all.subarray(end);
    return decode(all.subarray(0, end));
  }

  /** To be called behind the last message: a character that is still not whole never will be. */
  end(): Utf8Piece {
    return { text: '', isValid: this.#held.length === 0 };
  }
}

/** How many bytes at the end begin a character and do not finish it. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
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
  // The first replacement character that was not sent as one stands where the first bad byte was.
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
