import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Utf8Reader } from '../../lambda/framing/utf8.ts';
import { cutAt, cuts, FUZZ, unicode } from '../fixtures/arbitraries.ts';

/** All text of some pieces up to the first bad byte, and whether there was none. */
function readAll(pieces: Buffer[]): { text: string; isValid: boolean } {
  const reader = new Utf8Reader();
  let text = '';
  for (const piece of [...pieces.map((bytes) => reader.read(bytes)), reader.end()]) {
    text += piece.text;
    if (!piece.isValid) return { text, isValid: false };
  }
  return { text, isValid: true };
}

describe('bytes cut anywhere', () => {
  test('are the text that they were', () => {
    fc.assert(
      fc.property(unicode(), cuts, (text, where) => {
        expect(readAll(cutAt(Buffer.from(text), where).map((piece) => Buffer.from(piece)))).toEqual({
          text,
          isValid: true,
        });
      }),
      FUZZ,
    );
  });

  test('with a bad one among them give all text before it, and a replacement character that was sent is text', () => {
    const good = fc
      .array(fc.constantFrom('a', 'é', '漢', '🙂', '\ufffd', '\ufeff', '\0'))
      .map((list) => list.join(''));
    const bad = fc.constantFrom([0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82, 0x41], [0x80]);
    fc.assert(
      fc.property(good, bad, good, cuts, (before, bytes, after, where) => {
        const all = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);

        const { text, isValid } = readAll(cutAt(all, where).map((piece) => Buffer.from(piece)));

        expect({ text, isValid }).toEqual({ text: before, isValid: false });
      }),
      FUZZ,
    );
  });

  test('agree with the platform on what is valid', () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x80, 0xed),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 12 }), cuts, (list, where) => {
        const bytes = Buffer.from(list);
        let expected = true;
        try {
          new TextDecoder('utf-8', { fatal: true }).decode(bytes);
        } catch {
          expected = false;
        }

        expect(readAll(cutAt(bytes, where).map((piece) => Buffer.from(piece))).isValid).toBe(expected);
      }),
      FUZZ,
    );
  });
});
