import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { acceptOrMintSessionId } from '../../lambda/sessions/session-id.ts';
import { FUZZ } from '../fixtures/arbitraries.ts';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('a session id', () => {
  test.each([
    ['33 characters', 'a'.repeat(33)],
    ['256 characters', 'a'.repeat(256)],
    ['a UUID', '6a8f2c1e-0000-4000-8000-000000000000'],
    ['hyphens and underscores', `Z${'-_'.repeat(20)}`],
    ['a digit first', `0${'a'.repeat(32)}`],
  ])('of %s is used as it is', (_what, sessionId) => {
    expect(acceptOrMintSessionId(sessionId)).toBe(sessionId);
  });

  test.each<[string, unknown]>([
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['a number', 1e40],
    ['an array of one', ['a'.repeat(33)]],
    ['an object', { toString: () => 'a'.repeat(33) }],
    ['32 characters', 'a'.repeat(32)],
    ['257 characters', 'a'.repeat(257)],
    ['a hyphen first', `-${'a'.repeat(33)}`],
    ['an underscore first', `_${'a'.repeat(33)}`],
    ['a dot', `${'a'.repeat(33)}.`],
    ['a space', `${'a'.repeat(33)} `],
    ['a line break at the end', `${'a'.repeat(33)}\n`],
    ['a header in it', `${'a'.repeat(33)}\r\nX-Evil: 1`],
    ['other letters', `${'a'.repeat(33)}é`],
    ['NUL', `${'a'.repeat(33)}\0`],
  ])('that is %s is replaced by a new UUID', (_what, sessionId) => {
    const first = acceptOrMintSessionId(sessionId);
    const second = acceptOrMintSessionId(sessionId);

    expect(first).toMatch(UUID_V4);
    expect(second).toMatch(UUID_V4);
    expect(first).not.toBe(second);
  });

  test('whatever came, what is used is valid, and it is what came exactly when that was valid', () => {
    const unit = fc.constantFrom(...'aZ09-_', '.', ' ', '\n', 'é');
    const nearlyValid = fc.string({ unit, minLength: 30, maxLength: 40 });
    const valid = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{32,255}$/);
    fc.assert(
      fc.property(fc.oneof(fc.anything(), nearlyValid, valid), (came) => {
        const isValid =
          typeof came === 'string' &&
          came.length >= 33 &&
          came.length <= 256 &&
          !/[^A-Za-z0-9_-]/.test(came) &&
          !/^[_-]/.test(came);

        const used = acceptOrMintSessionId(came);

        if (isValid) expect(used).toBe(came);
        else expect(used).toMatch(UUID_V4);
      }),
      FUZZ,
    );
  });
});
