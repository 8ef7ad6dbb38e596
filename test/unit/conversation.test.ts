import { describe, expect, test } from '@jest/globals';
import { conversationSession, lastMessage, textOf } from '../../lambda/protocols/conversation.ts';

const [FIRST, SECOND, CALL] = ['first', 'second', 'call'].map((name) => name.padEnd(33, '0'));
const told = (sessionId: unknown, role = 'assistant') => ({ role, metadata: { sessionId } });
const sessionOf = (messages: unknown[], named?: unknown) =>
  conversationSession({ named, conversation: 'chat', messages });

describe('the session that earlier answers told', () => {
  test('is that of the last one', () => {
    expect(sessionOf([told(FIRST), told(SECOND)])).toEqual({ sessionId: SECOND });
  });

  test('is that of an earlier one where the last told none', () => {
    const silent = { role: 'assistant', content: 'x' };

    expect(
      sessionOf([told(FIRST), silent, told('short'), null, 'text', { role: 'assistant', metadata: null }]),
    ).toEqual({ sessionId: FIRST });
  });

  test('stands in the message before its calls', () => {
    const both = { ...told(FIRST), toolCalls: [{ metadata: { sessionId: CALL } }] };
    const calls = { role: 'assistant', toolCalls: [null, { id: 't' }, { metadata: { sessionId: CALL } }] };

    expect(sessionOf([both]).sessionId).toBe(FIRST);
    expect(sessionOf([calls]).sessionId).toBe(CALL);
    expect(sessionOf([told(FIRST), { role: 'assistant', toolCalls: 'none' }]).sessionId).toBe(FIRST);
  });

  test('is none that a message of the user claims', () => {
    const { sessionId, sessionReplaced } = sessionOf([told(FIRST, 'user')]);

    expect(sessionId).not.toBe(FIRST);
    expect(sessionReplaced).toBeUndefined();
  });

  test.each([['short'], [5], [{}]])(
    'takes the place of one that is no session id, and says so: %j',
    (named) => {
      expect(sessionOf([told(FIRST)], named)).toEqual({ sessionId: FIRST, sessionReplaced: true });
    },
  );

  test('replaces nothing where the caller names none', () => {
    expect(sessionOf([told(FIRST)], null)).toEqual({ sessionId: FIRST });
  });
});

describe('the text of a message', () => {
  test.each<[unknown, string]>([
    ['a', 'a'],
    [undefined, ''],
    [{ type: 'text', text: 'a' }, ''],
    [
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
      'a\nb',
    ],
    [[null, 'a', { type: 'text' }, { type: 'text', text: 5 }, { type: 'file', text: 'x' }], ''],
  ])('%j is %j', (content, text) => {
    expect(textOf(content)).toBe(text);
  });
});

test('the last message is an object, or none', () => {
  expect(lastMessage([{ a: 1 }, { b: 2 }])).toEqual({ b: 2 });
  expect(lastMessage([{ a: 1 }, 'text'])).toBeUndefined();
  expect(lastMessage([])).toBeUndefined();
});
