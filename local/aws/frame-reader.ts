/** Header of one WebSocket frame. */
export interface Frame {
  /** 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  opcode: number;
  fin: boolean;
  payloadBytes: number;
}

/** A stretch of bytes of one frame; the first one holds the whole header. */
export interface FramePart {
  frame: Frame;
  bytes: Buffer;
  first: boolean;
  last: boolean;
}

/**
 * Cuts one direction of a WebSocket byte stream at the borders of its frames. No byte is changed, and none but
 * those of an incomplete header is held back, so that half a frame is passed on as half a frame.
 *
 * @returns a function to be fed the bytes as they come
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
export function frameReader(): (bytes: Buffer) => FramePart[] {
  let held: Buffer = Buffer.alloc(0);
  let frame: Frame | undefined;
  let bytesLeft = 0;
  return (bytes) => {
    const parts: FramePart[] = [];
    let rest = held.length > 0 ? Buffer.concat([held, bytes]) : bytes;
    held = Buffer.alloc(0);
    while (rest.length > 0) {
      const first = frame === undefined;
      if (frame === undefined) {
        const length = headerLength(rest);
        if (length === undefined || rest.length < length) {
          held = rest;
          break;
        }
        frame = frameOf(rest);
        bytesLeft = length + frame.payloadBytes;
      }
      const part = rest.subarray(0, bytesLeft);
      rest = rest.subarray(part.length);
      bytesLeft -= part.length;
      parts.push({ frame, bytes: part, first, last: bytesLeft === 0 });
      if (bytesLeft === 0) frame = undefined;
    }
    return parts;
  };
}

function headerLength(header: Buffer): number | undefined {
  const second = header[1];
  if (second === undefined) return undefined;
  const size = second & 0x7f;
  return 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

function frameOf(header: Buffer): Frame {
  const [first = 0, second = 0] = header;
  const size = second & 0x7f;
  const payloadBytes =
    size === 126 ? header.readUInt16BE(2) : size === 127 ? Number(header.readBigUInt64BE(2)) : size;
  return { opcode: first & 0x0f, fin: (first & 0x80) !== 0, payloadBytes };
}

/** A close frame; `masked` as a client must send it. */
export function closeFrame(code: number, reason: string, masked = false): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
  const mask = masked ? Buffer.alloc(4) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from([0x88, payload.length | (masked ? 0x80 : 0)]), mask, payload]);
}
