import { describe, expect, test } from '@jest/globals';
import type { ContentEvent } from '../../lambda/events.ts';
import { createParts, type Part, type PartsOptions } from '../../lambda/protocols/parts.ts';

/** The parts of one answer; texts get the ids 1, 2 and so on. */
function answer(options: Partial<PartsOptions> = {}) {
  let texts = 0;
  const nextId = () => {
    texts += 1;
    return String(texts);
  };
  const parts = createParts({ nextId, ...options });
  return { ...parts, all: (...events: ContentEvent[]): Part[] => events.flatMap(parts.of) };
}

const call = (id: string, name = 'sum'): ContentEvent => ({ type: 'toolCall', id, name });
const input = (id: string, delta: string): ContentEvent => ({ type: 'toolInput', id, delta });
const called = (id: string): ContentEvent => ({ type: 'toolCallEnd', id });
const result = (id: string, output: unknown = 'ok'): ContentEvent => ({
  type: 'toolResult',
  id,
  output,
  isError: false,
});
const none = () => false;

describe('text', () => {
  test('that is empty opens nothing, and ends nothing', () => {
    const { all } = answer();

    all({ type: 'text', text: 'a' });

    expect(all({ type: 'reasoning', text: '' }, { type: 'text', text: 'b' })).toEqual([
      { type: 'delta', kind: 'text', id: '1', text: 'b' },
    ]);
  });

  test('ends where a call begins, and once', () => {
    const { all, closeText, close } = answer();

    const parts = all({ type: 'text', text: 'a' }, call('t'));

    expect(parts.map(({ type }) => type)).toEqual(['start', 'delta', 'end', 'callStart']);
    expect(closeText()).toEqual([]);
    expect(close(() => true).map(({ type }) => type)).toEqual(['callEnd']);
  });

  test('ends where the result of an earlier call comes', () => {
    const { all } = answer();
    all(call('t'), { type: 'text', text: 'a' });

    expect(all(result('t')).map(({ type }) => type)).toEqual(['end', 'callEnd', 'callResult']);
  });

  test('that goes on behind a call is another one', () => {
    const { all } = answer();
    all({ type: 'text', text: 'a' }, call('t'));

    expect(all({ type: 'text', text: 'b' })).toEqual([
      { type: 'start', kind: 'text', id: '2' },
      { type: 'delta', kind: 'text', id: '2', text: 'b' },
    ]);
  });
});

describe('a call', () => {
  test('that is told twice begins once', () => {
    expect(answer().all(call('t'), call('t'))).toEqual([{ type: 'callStart', id: 't', name: 'sum' }]);
  });

  test('has its whole input at its end, which is told once', () => {
    const { all } = answer();

    const parts = all(
      call('t'),
      input('t', '{"a"'),
      input('t', ''),
      input('t', ':1}'),
      called('t'),
      called('t'),
    );

    expect(parts.slice(1)).toEqual([
      { type: 'callInput', id: 't', delta: '{"a"' },
      { type: 'callInput', id: 't', delta: ':1}' },
      { type: 'callEnd', id: 't', name: 'sum', input: '{"a":1}' },
    ]);
  });

  test('that was never told has no input and no end', () => {
    expect(answer().all(input('never', '1'), called('never'))).toEqual([]);
  });

  test('takes no input behind its end', () => {
    const { all } = answer();
    all(call('t'), called('t'));

    expect(all(input('t', '1'))).toEqual([]);
  });

  test('has an id that no other call of the answer has', () => {
    const { all } = answer();

    const parts = [1, 2, 3].flatMap(() => all(call('t'), input('t', '1'), result('t')));

    expect(parts.flatMap((part) => ('id' in part ? part.id : []))).toEqual(
      ['t', 't-2', 't-3'].flatMap((id) => Array(4).fill(id)),
    );
    expect(parts.filter(({ type }) => type === 'callEnd')).toEqual(
      ['t', 't-2', 't-3'].map((id) => ({ type: 'callEnd', id, name: 'sum', input: '1' })),
    );
  });

  test('has an id that no earlier answer has', () => {
    const { all } = answer({ isTaken: (id) => ['t', 't-2', 'call'].includes(id) });

    expect(all(call('t'), call(''))).toMatchObject([{ id: 't-3' }, { id: 'call-2' }]);
  });
});

test('usage is no part of an answer', () => {
  expect(answer().all({ type: 'usage', inputTokens: 1 })).toEqual([]);
});

describe('the end of an answer', () => {
  test('ends every call, and gives one without a result an empty one', () => {
    const { all, close } = answer();
    all(
      call('open'),
      input('open', '1'),
      call('called'),
      called('called'),
      call('answered'),
      result('answered'),
    );

    expect(close(none)).toEqual([
      { type: 'callEnd', id: 'open', name: 'sum', input: '1' },
      { type: 'callResult', id: 'open', output: '', isError: false },
      { type: 'callResult', id: 'called', output: '', isError: false },
    ]);
  });

  test('leaves the calls without a result that wait for one', () => {
    const { all, close } = answer();
    all(call('a', 'ofTheCaller'), call('b'), { type: 'text', text: 'so' });

    expect(close(({ id, name }) => id === 'b' || name === 'ofTheCaller').map(({ type }) => type)).toEqual([
      'end',
      'callEnd',
      'callEnd',
    ]);
  });
});
