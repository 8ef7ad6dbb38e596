import { describe, expect, test } from '@jest/globals';
import type { Replay } from '../../lambda/answer/protocol.ts';
import { StreamError } from '../../lambda/errors.ts';
import type { ContentEvent } from '../../lambda/events.ts';
import { placeOf } from '../../lambda/protocols/event-id.ts';
import { countEvents, native } from '../../lambda/protocols/native.ts';

const STATS = { chunks: 1, bytes: 1, durationMs: 1 };
const EVENTS: ContentEvent[] = [
  { type: 'text', text: 'a' },
  { type: 'usage', inputTokens: 1 },
];

const writerOf = (replay?: Replay) =>
  native.createWriter({
    sessionId: 'session-1',
    agentId: 'mwc',
    requestId: 'request-1',
    sessionReplaced: false,
    ...(replay && { replay }),
  });

/** The ids of an answer's events; undefined for an event without one, and none for an event that is left out. */
function idsOf(replay: Replay | undefined, fail?: StreamError): (string | undefined)[] {
  const writer = writerOf(replay);
  // The start is written when the first event has been made.
  const [first = '', ...others] = EVENTS.map((event) => writer.event(event));
  const last = fail ? writer.fail(fail, STATS) : writer.done(STATS);
  return [writer.open(), first, ...others, last]
    .filter((event) => event !== '')
    .map((event) => /^(?:id: (.*)\n)?data: [^\n]*\n\n$/.exec(event)?.[1]);
}

describe('the events of an answer that can be read again', () => {
  test('name their places, from the start to the end', () => {
    expect(idsOf({})).toEqual(['request-1:0', 'request-1:1', 'request-1:2', 'request-1:3']);
  });

  test('do so where it fails, too', () => {
    expect(idsOf({}, new StreamError('AgentFailed', 'no')).at(-1)).toBe('request-1:3');
  });

  test.each([
    [0, ['request-1:1', 'request-1:2', 'request-1:3']],
    [2, ['request-1:3']],
    [3, []],
  ])('are left out up to the one that the reader has, number %i', (after, ids) => {
    expect(idsOf({ after })).toEqual(ids);
  });

  test('have no place in any other answer', () => {
    expect(idsOf(undefined)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test.each<[string, ContentEvent[], boolean, number]>([
    ['the start alone', [], false, 1],
    ['the end', [], true, 2],
    ['each event', EVENTS, true, 4],
    ['each piece of a long text', [{ type: 'text', text: 'x'.repeat(4097) }], false, 3],
    ['a text of one piece', [{ type: 'text', text: 'x'.repeat(4096) }], false, 2],
    ['an empty text', [{ type: 'text', text: '' }], false, 2],
    [
      'each piece of data that stands in the text',
      [{ type: 'data', value: '', raw: 'x'.repeat(8193), inline: true }],
      false,
      4,
    ],
    ['other data once', [{ type: 'data', value: '', raw: 'x'.repeat(8193) }], false, 2],
  ])('are counted as they are written: %s', (_what, events, hasEnded, count) => {
    expect(countEvents(events, hasEnded)).toBe(count);
  });
});

describe('the place that an event id names', () => {
  test.each([
    ['request-1:0', { requestId: 'request-1', after: 0 }],
    [`${'r'.repeat(128)}:999999999`, { requestId: 'r'.repeat(128), after: 999_999_999 }],
  ])('%s', (id, place) => {
    expect(placeOf(id)).toEqual(place);
  });

  test.each([
    undefined,
    '',
    ':1',
    'request-1',
    'request-1:',
    'request-1:x',
    'request-1:1x',
    'x request-1:1',
    'request-1:-1',
    'request-1:1234567890',
    `${'r'.repeat(129)}:1`,
  ])('is none of %j', (id) => {
    expect(placeOf(id)).toBeUndefined();
  });
});
