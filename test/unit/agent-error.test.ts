import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { boundedAgentError } from '../../lambda/agent-error.ts';
import { FUZZ } from '../fixtures/arbitraries.ts';
import { decoderOf } from '../fixtures/decoding.ts';

/** What a caller gets to see of a failure message. */
function said(message: object): string {
  const [item] = decoderOf({ framing: 'json' }).decode(Buffer.from(JSON.stringify(message)), false);
  return item?.type === 'failure' ? item.agentError.message : '(no failure)';
}

describe('what an agent says of its failure', () => {
  test.each([
    ['a Python traceback', 'boom\nTraceback (most recent call last):\n  File "/app/x.py", line 1'],
    ['the frames of a Python stack', 'boom\n  File "/app/x.py", line 1, in f\n    secret()'],
    ['a JavaScript stack', 'boom\n    at secret (/app/x.js:1:1)\n    at main (/app/y.js:1:1)'],
    ['a stack behind blank lines', 'boom\n\n \n    at secret (/app/x.js:1:1)'],
    ['a stack with line ends of Windows', 'boom\r\n    at secret (/app/x.js:1:1)\r\n'],
  ])('is cut before %s', (_what, message) => {
    expect(boundedAgentError({ message })).toEqual({ message: 'boom' });
  });

  test('ordinary words that resemble a stack stay', () => {
    const message = 'Look at the log. A File was at fault\nat noon';

    expect(boundedAgentError({ message })).toEqual({ message });
  });

  test('is at most 2,000 characters, and well formed', () => {
    const message = said({ error: `${'x'.repeat(1999)}🙂🙂` });

    expect(message.length).toBeLessThanOrEqual(2000);
    expect(message.length).toBeGreaterThanOrEqual(1999);
    expect(message.isWellFormed()).toBe(true);
  });

  // A search that goes back and forth over them would stop the process for hours.
  test.each([
    ['line breaks', '\n'],
    ['spaces', ' '],
    ['line breaks and spaces', '\n  '],
    ['Windows line ends', '\r\n'],
  ])('is read at once, also a megabyte of %s', (_what, unit) => {
    const startedAt = performance.now();

    const { message } = boundedAgentError({ message: `no${unit.repeat(2 ** 20)}.` });

    expect(message.startsWith('no')).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  test.each([
    ['beside no message', { type: 'error', stack: 'Error: boom\n    at f (/app/secret.js:1:2)' }],
    [
      'inside the error',
      { error: { name: 'TypeError', stack: 'Error: boom\n    at f (/app/secret.js:1:2)' } },
    ],
    ['of Python', { type: 'error', trace: ['boom\n  File "/app/secret.py", line 1, in f'] }],
  ])('holds no stack where there is no message either: %s', (_where, message) => {
    expect(said(message)).toContain('boom');
    expect(said(message)).not.toMatch(/secret/);
  });

  test('is a failure also where it is nested deeper than a stack is', () => {
    const nested = `${'{"error":'.repeat(20_000)}1${'}'.repeat(20_000)}`;

    const items = decoderOf({ framing: 'json' }).decode(Buffer.from(nested), false);

    expect(items).toMatchObject([{ type: 'failure', agentError: { message: 'no message' } }]);
  });

  test('type and code are bounded too', () => {
    const { type, code } = boundedAgentError({
      type: 't'.repeat(10_000),
      code: 'c'.repeat(10_000),
      message: 'boom',
    });

    expect(type).toHaveLength(100);
    expect(code).toHaveLength(100);
  });

  test('whatever it is, it is bounded, well formed and without a stack', () => {
    const parts = fc.constantFrom(
      '\n',
      ' ',
      '\t',
      'at ',
      'File "',
      'Traceback (most recent call last)',
      'x',
      '\ud800',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 60 }), (list) => {
        const { message } = boundedAgentError({ message: list.join('') });

        expect(message.isWellFormed()).toBe(true);
        expect(message).not.toMatch(/Traceback \(most recent call last\)|\n[ \t]+(at\s|File ")/);
      }),
      FUZZ,
    );
  });
});
