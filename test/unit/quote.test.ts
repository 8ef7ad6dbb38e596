import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quote } from '../../lambda/stream/quote.ts';
import { FUZZ, token } from '../fixtures/arbitraries.ts';

test.each([
  '',
  'plain',
  'a "quote"',
  'back\\slash',
  'line\nend',
  '\u0000\u001f\u007f\u2028',
  '\ud83d\ude00',
  '\ud83d',
  'é€',
])('%j is quoted as JSON.stringify quotes it', (text) => {
  expect(quote(text)).toBe(JSON.stringify(text));
});

test('any text is', () => {
  fc.assert(
    fc.property(
      fc.oneof(token, fc.string({ unit: 'binary' })),
      (text) => quote(text) === JSON.stringify(text),
    ),
    FUZZ,
  );
});
