import { describe, expect, test } from '@jest/globals';
import { readInvokeRequest } from '../../lambda/protocols/invoke-request.ts';

const SESSION = 'a'.repeat(33);

const read = (body: object) =>
  readInvokeRequest({ agentId: 'mwc', prompt: 'x', ...body }, { maxPromptBytes: 10, takesRun: () => false });

describe('the session of a request', () => {
  test('is the one that the caller names', () => {
    const { sessionId, sessionReplaced } = read({ sessionId: SESSION });

    expect({ sessionId, sessionReplaced }).toEqual({ sessionId: SESSION, sessionReplaced: undefined });
  });

  test.each([['short'], [null], [5]])(
    'is another one, and is told to be, where the caller names %j',
    (sessionId) => {
      const request = read({ sessionId });

      expect(request.sessionReplaced).toBe(true);
      expect(request.sessionId).not.toBe(sessionId);
    },
  );

  test('is new, and no other one, where the caller names none', () => {
    expect(read({})).not.toHaveProperty('sessionReplaced');
  });
});

describe('further keys for the agent', () => {
  test('are an object', () => {
    expect(read({ payload: { files: [1] } }).payload).toEqual({ files: [1] });
    expect(read({})).not.toHaveProperty('payload');
  });

  test.each([
    [null, 'null'],
    [[1], 'an array'],
    ['x', 'a string'],
    ['', 'an empty string'],
  ])('are refused in any other form, without their words: %j', (payload, described) => {
    expect(() => read({ payload, sessionId: SESSION })).toThrow(
      expect.objectContaining({
        code: 'BadRequest',
        message: `"payload": expected an object, got ${described}`,
        details: { sessionId: SESSION, fields: ['payload'] },
      }),
    );
  });
});
