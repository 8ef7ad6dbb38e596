import { describe, expect, test } from '@jest/globals';
import { cut, isHighSurrogate, isLowSurrogate } from '../../lambda/answer/cut.ts';

describe('a text that is cut', () => {
  test.each<[string, string, string[]]>([
    ['is nothing of nothing', '', []],
    ['is one piece up to the limit', 'abcd', ['abcd']],
    ['has a last piece for the rest', 'abcde', ['abcd', 'e']],
    ['has whole pieces alone, where it is a multiple of the limit', 'abcdefgh', ['abcd', 'efgh']],
    ['keeps a pair together at the end of a piece', 'abc🙂e', ['abc', '🙂e']],
    ['keeps a pair together within a piece', 'ab🙂🙂', ['ab🙂', '🙂']],
    ['keeps a half that is alone at the end of the text', 'abc\ud83d', ['abc\ud83d']],
    ['is cut behind the second half of a pair, whatever follows', 'ab🙂\ud83d', ['ab🙂', '\ud83d']],
    ['loses no half that is alone', 'abc\ude42de', ['abc\ude42', 'de']],
  ])('%s', (_what, text, pieces) => {
    expect(cut(text, 4)).toEqual(pieces);
  });
});

test.each([
  [0xd7ff, false, false],
  [0xd800, true, false],
  [0xdbff, true, false],
  [0xdc00, false, true],
  [0xdfff, false, true],
  [0xe000, false, false],
])('the unit %i: a first half of a pair is %s, a second half %s', (unit, isFirst, isSecond) => {
  expect([isHighSurrogate(unit), isLowSurrogate(unit)]).toEqual([isFirst, isSecond]);
});
