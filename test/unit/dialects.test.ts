import { describe, expect, test } from '@jest/globals';
import type { DecoderOptions } from '../../lambda/answer/decoder.ts';
import { type AnswerEvent, isEnd } from '../../lambda/events.ts';
import { decoderOf, eventsOf } from '../fixtures/decoding.ts';
import { FRAMEWORKS, type FrameworkName } from '../fixtures/frameworks.ts';
import { RECORDED_ANSWERS } from '../fixtures/recorded-answers.ts';

/** What every framework has; the rest only where it has it. */
const KINDS = ['text', 'toolCall', 'toolInput', 'toolCallEnd', 'toolResult', 'reasoning', 'failure', 'end'];
const TOLD_BY: Record<FrameworkName, string[]> = {
  strands: ['usage', 'interrupt'],
  langgraph: ['usage', 'interrupt'],
  'ag-ui': ['usage', 'interrupt', 'data'],
  'ui-message-stream': ['usage', 'interrupt'],
  openai: ['usage'],
  anthropic: ['usage', 'data'],
  adk: ['usage'],
  llamaindex: [],
};

/** The events of data without what was sent, which must be one of the messages. */
function withoutRaw(events: AnswerEvent[], messages: readonly string[]): object[] {
  return events.map((event) => {
    if (event.type !== 'data') return event;
    const { raw, ...others } = event;
    expect(messages).toContain(raw);
    return others;
  });
}

describe('recorded answers', () => {
  test.each(RECORDED_ANSWERS)('$name, recognised by itself', ({ messages, events, leftOut }) => {
    let left = 0;
    const decoder = decoderOf({
      onLeftOut: () => {
        left += 1;
      },
    });

    const read = eventsOf(messages, decoder);

    expect(withoutRaw(read, messages)).toEqual(events);
    expect(left).toBe(leftOut);
  });

  test.each(RECORDED_ANSWERS)(
    '$name, of an entry that names the dialect',
    ({ dialect, messages, events }) => {
      const read = eventsOf(messages, decoderOf({ dialect }));

      expect(withoutRaw(read, messages)).toEqual(events);
    },
  );

  test.each(RECORDED_ANSWERS)('$name, data dropped where the entry says so', ({ messages, events }) => {
    const read = eventsOf(messages, decoderOf({ structured: 'drop' }));

    expect(read).toEqual(events.filter(({ type }) => type !== 'data'));
  });

  test.each(FRAMEWORKS)('%s has one of every kind, and one that was cut', (dialect) => {
    const answers = RECORDED_ANSWERS.filter((answer) => answer.dialect === dialect);
    const kinds = new Set(answers.flatMap(({ events }) => events.map(({ type }) => type)));

    expect([...kinds]).toEqual(expect.arrayContaining([...KINDS, ...TOLD_BY[dialect]]));
    expect(answers.some(({ events }) => !events.some((event) => isEnd(event as AnswerEvent)))).toBe(true);
    for (const { source } of answers) expect(source).toMatch(/\w/);
  });

  test.each(RECORDED_ANSWERS)(
    '$name: calls begin, are fed, end and are answered in this order',
    ({ events }) => {
      const calls = new Map<unknown, string>();

      for (const { type, id } of events) {
        const before = calls.get(id);
        if (type === 'toolCall') expect([undefined, 'toolResult']).toContain(before);
        if (type === 'toolInput') expect(['toolCall', 'toolInput']).toContain(before);
        if (type === 'toolCallEnd') expect(['toolCall', 'toolInput']).toContain(before);
        if (type === 'toolResult') expect(before).toBe('toolCallEnd');
        if (type.startsWith('tool')) calls.set(id, type);
      }
    },
  );
});

describe('what an agent says around its framework', () => {
  const starts: Record<FrameworkName, object> = {
    strands: { init_event_loop: true },
    langgraph: { type: 'AIMessageChunk', content: 'a', id: '1' },
    'ag-ui': { type: 'RUN_STARTED', threadId: 't', runId: 'r' },
    'ui-message-stream': { type: 'start-step' },
    openai: { object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'a' } }] },
    anthropic: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a' } },
    adk: { author: 'a', invocationId: 'i', partial: true, content: { parts: [{ text: 'a' }] } },
    llamaindex: { delta: 'a', response: 'a', current_agent_name: 'A' },
  };
  const cases = Object.entries(starts).map(([name, first]) => ({ name, first: JSON.stringify(first) }));
  const behind = (first: string, said: string, options: Partial<DecoderOptions> = {}): AnswerEvent[] => {
    const decoder = decoderOf(options);
    decoder.decode(Buffer.from(first), false);
    return decoder.decode(Buffer.from(said), false);
  };

  test.each(cases)('ends an answer of $name by any mark', ({ first }) => {
    for (const mark of ['[DONE]', '{"type":"complete"}', '{"done":true}', '{"type":"end","text":""}']) {
      expect(behind(first, mark)).toEqual([{ type: 'end' }]);
    }
    expect(behind(first, '{"type":"bye"}', { endMarker: 'bye' })).toEqual([{ type: 'end' }]);
  });

  test.each(cases)('is a failure of $name when it says so', ({ first }) => {
    const failed = behind(first, '{"type":"error","message":"boom"}');
    const error = behind(first, '{"error":"boom","error_type":"ValueError"}');

    expect(failed).toEqual([{ type: 'failure', agentError: { type: 'error', message: 'boom' } }]);
    expect(error).toEqual([{ type: 'failure', agentError: { type: 'ValueError', message: 'boom' } }]);
  });

  test.each(cases)('is data beside an answer of $name, and never text', ({ first }) => {
    const raw = '{"chunk":"a word of the agent"}';

    expect(behind(first, raw)).toEqual([{ type: 'data', value: JSON.parse(raw), raw }]);
    expect(behind(first, raw, { structured: 'drop' })).toEqual([]);
  });

  test.each(cases)('is left out of $name and counted when it is the repr of an object', ({ first }) => {
    const lengths: number[] = [];
    const repr = JSON.stringify("{'agent': <Agent object at 0x7f>}");

    const events = behind(first, repr, { onLeftOut: (length) => lengths.push(length) });

    expect(events).toEqual([]);
    expect(lengths).toEqual([repr.length]);
  });

  test.each(cases)('gives out the result in an end of $name', ({ first }) => {
    const raw = '{"type":"complete","result":{"sum":3}}';

    expect(behind(first, raw)).toEqual([
      { type: 'data', name: 'complete', value: JSON.parse(raw), raw },
      { type: 'end' },
    ]);
  });
});

describe('what is of no framework stays what it was', () => {
  test.each([
    '{"type":"start"}',
    '{"start":true}',
    '{"type":"start","sessionId":"s"}',
    '{"type":"message","content":"hi","role":"assistant"}',
    '{"event":"message","data":"hi"}',
    '{"type":"tool_use","name":"x"}',
    '{"type":"response.text","text":"hi"}',
    '{"type":"STATE","state":"RUNNING"}',
    '{"type":"CUSTOM","name":"x","value":1}',
    '{"type":"RUN_STARTED"}',
    '{"type":"STEP_STARTED","name":"plan"}',
    '{"type":"text-start","runId":"r","from":"AGENT","payload":{"id":"0"}}',
    '{"type":"text","text":"hi"}',
    '{"type":"content_block_delta","delta":{"text":"hi"}}',
    '{"type":"message_stop"}',
    '{"type":"ai","content":"hi"}',
    '{"type":"tool","content":"hi"}',
    '{"partial":true,"text":"hi"}',
    '{"author":"me","content":"hi"}',
    '{"choices":["yes","no"]}',
    '{"messages":[{"role":"user","content":"hi"}]}',
    '{"message":{"role":"assistant","content":"hi"},"done":false}',
    '{"delta":"hi","response":"hi"}',
    '{"result":"hi"}',
    '{"metadata":{"usage":{"inputTokens":1}}}',
    '["messages","hi"]',
    '["a",{"b":1}]',
    `"{'a': 1}"`,
  ])('%s', (message) => {
    const later = '{"chunk":"later"}';

    const auto = eventsOf([message, later], decoderOf());

    expect(auto).toEqual(eventsOf([message, later], decoderOf({ dialect: 'generic' })));
  });
});

describe('a first document that only the next one explains', () => {
  const waiting = '"{\'a\': 1}"';
  const text: AnswerEvent = { type: 'text', text: "{'a': 1}" };

  test('is given out with the next one', () => {
    const decoder = decoderOf();

    expect(decoder.decode(Buffer.from(waiting), false)).toEqual([]);
    expect(decoder.decode(Buffer.from('"b"'), false)).toEqual([text, { type: 'text', text: 'b' }]);
  });

  test('is given out at the close', () => {
    expect(eventsOf([waiting], decoderOf())).toEqual([text, { type: 'end' }]);
  });

  test('is given out before bytes that are not UTF-8', () => {
    const events = eventsOf([waiting, Uint8Array.of(0xff)], decoderOf());

    expect(events).toEqual([text, { type: 'malformed', problem: expect.stringContaining('UTF-8') }]);
  });

  test('is given out when too many of them come', () => {
    const decoder = decoderOf();
    const read = () => decoder.decode(Buffer.from(waiting), false);

    const [ninth, ...before] = Array.from({ length: 9 }, read).reverse();

    expect(before.flat()).toEqual([]);
    expect(ninth).toEqual(Array(9).fill(text));
  });

  test('is given out with one that says nothing', () => {
    const decoder = decoderOf();
    decoder.decode(Buffer.from(waiting), false);

    expect(decoder.decode(Buffer.from('""'), false)).toEqual([text]);
  });
});
