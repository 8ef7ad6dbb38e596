/** Header of one WebSocket frame. */
export interface Frame {
  /** 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  opcode: number;
  fin: boolean;
  payloadBytes: number;
}

/**
 * Follows one direction of a WebSocket byte stream and reports each frame's header, without touching a byte.
 *
 * @param onFrame returns false for a frame that must not pass
 * @returns a function to be fed the bytes as they come; it returns how many of them may pass
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
export function frameReader(onFrame: (frame: Frame) => boolean): (bytes: Buffer) => number {
  let header = Buffer.alloc(0);
  let payloadLeft = 0;
  return (bytes) => {
    let rest = bytes;
    while (rest.length > 0) {
      if (payloadLeft > 0) {
        const skipped = Math.min(payloadLeft, rest.length);
        payloadLeft -= skipped;
        rest = rest.subarray(skipped);
        continue;
      }
      const known = header.length;
      header = Buffer.concat([header, rest.subarray(0, 14)]);
      const length = headerLength(header);
      if (length === undefined || header.length < length) return bytes.length;
      const start = bytes.length - rest.length - known;
      rest = rest.subarray(length - known);
      payloadLeft = payloadLength(header);
      const [first = 0] = header;
      header = Buffer.alloc(0);
      const frame = { opcode: first & 0x0f, fin: (first & 0x80) !== 0, payloadBytes: payloadLeft };
      if (!onFrame(frame)) return Math.max(0, start);
    }
    return bytes.length;
  };
}

function headerLength(header: Buffer): number | undefined {
  const second = header[1];
  if (second === undefined) return undefined;
  const size = second & 0x7f;
  return 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

function payloadLength(header: Buffer): number {
  const size = (header[1] ?? 0) & 0x7f;
  if (size === 126) return header.readUInt16BE(2);
  return size === 127 ? Number(header.readBigUInt64BE(2)) : size;
}

/** A close frame; `masked` as a client must send it. */
export function closeFrame(code: number, reason: string, masked = false): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
  const mask = masked ? Buffer.alloc(4) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from([0x88, payload.length | (masked ? 0x80 : 0)]), mask, payload]);
}
