import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StreamError } from '../../lambda/errors.ts';
import {
  createLogReader,
  errorOf,
  failureOf,
  isContent,
  type LogEntry,
  writeEntry,
} from '../../lambda/sessions/answer-log.ts';
import { cutAt, cuts, FUZZ, wellFormedTokens } from '../fixtures/arbitraries.ts';

const HEAD: LogEntry = {
  type: 'head',
  head: { session: 'key', sessionId: 's', agentId: 'mwc', requestId: 'answer', sessionReplaced: false },
};
const END: LogEntry = { type: 'ended', stats: { chunks: 1 } };

describe('the log of an answer', () => {
  test('is read as it was written, wherever it is cut', () => {
    fc.assert(
      fc.property(wellFormedTokens, cuts, (texts, where) => {
        const said = texts.map((text): LogEntry => ({ type: 'text', text }));
        const entries = [HEAD, ...said, { type: 'toolCall', id: 't', name: 'sum' } as const, END];
        const read = createLogReader();

        const pieces = cutAt(Buffer.from(entries.map(writeEntry).join('')), where);

        expect(pieces.flatMap((piece) => read(piece))).toEqual(entries);
      }),
      FUZZ,
    );
  });

  test('keeps a text in no more than its JSON, because most entries are texts', () => {
    expect(writeEntry({ type: 'text', text: 'a\n"b"' })).toBe('"a\\n\\"b\\""\n');
  });

  test('gives out no line before its end', () => {
    const read = createLogReader();

    expect(read(Buffer.from('"a"'))).toEqual([]);
    expect(read(Buffer.from('\n"b'))).toEqual([{ type: 'text', text: 'a' }]);
  });

  test('has events of the agent between its first line and its last', () => {
    const entries: LogEntry[] = [HEAD, { type: 'text', text: 'a' }, { type: 'usage', inputTokens: 1 }, END];

    expect(entries.map(isContent)).toEqual([false, true, true, false]);
  });
});

test('a failure is told to a later reader as it was told to the first', () => {
  const error = new StreamError('AgentFailed', 'the agent reported an error', {
    details: { agentError: { message: 'no model' } },
  });
  error.promptSent = true;

  const kept = errorOf(JSON.parse(JSON.stringify(failureOf(error))));

  expect([kept.code, kept.publicMessage, kept.retryable, kept.publicDetails()]).toEqual([
    error.code,
    error.publicMessage,
    error.retryable,
    error.publicDetails(),
  ]);
});
