import { beforeEach, describe, expect, test } from '@jest/globals';
import { type InvocationRecord, newRecord } from '../../lambda/agentcore/exchange.ts';
import { type AgentEntry, parseAgents } from '../../lambda/agents.ts';
import { Reading } from '../../lambda/answer/reading.ts';
import { parseRuntimeArn } from '../../lambda/arn.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/mwc-0123456789';

let record: InvocationRecord;
let answers: number;

beforeEach(() => {
  record = newRecord();
  answers = 0;
});

interface Given {
  entry?: Partial<AgentEntry>;
  bodyType?: string;
  followsUnmarked?: boolean;
  maxMessageBytes?: number;
}

function readingOf({
  entry,
  bodyType,
  followsUnmarked = false,
  maxMessageBytes = 10_000,
}: Given = {}): Reading {
  const [agent] = parseAgents([{ id: 'mwc', name: 'mwc', runtimeArn, ...entry }]);
  if (!agent) throw new Error('no agent');
  return new Reading({
    exchange: {
      receive: async () => {},
      followsUnmarked,
      ...(bodyType !== undefined && { bodyType: () => bodyType }),
      failure: () => undefined,
      finish: () => {},
    },
    invocation: {
      agent: { entry: agent, arn: parseRuntimeArn(runtimeArn), origin: new URL('https://agentcore.example') },
      record,
    },
    maxMessageBytes,
    onAnswer: () => {
      answers += 1;
    },
  });
}

const messages = (...texts: string[]) => texts.map((text) => [Buffer.from(text), false] as const);
const text = (value: string) => ({ type: 'text', text: value });

describe('a batch of messages', () => {
  test('is the events of all of them, in their order', () => {
    const reading = readingOf();

    expect(reading.read(messages('{"chunk":"a"}', '{"chunk":"b"}'))).toEqual([text('a'), text('b')]);

    expect(reading).toMatchObject({ taken: 2, ending: undefined, hadEvents: true });
  });

  test('is read up to the end, and what is behind it is not taken', () => {
    const reading = readingOf();

    const content = reading.read(messages('{"chunk":"a"}', '[DONE]', '{"chunk":"late"}'));

    expect(content).toEqual([text('a')]);
    expect(reading).toMatchObject({ taken: 2, ending: { type: 'end' }, end: 'marked' });
  });

  test('goes on where the one before it stopped', () => {
    const reading = readingOf({ entry: { framing: 'ndjson' } });

    const content = ['{"chunk":', '"a"}\n'].flatMap((piece) => reading.read(messages(piece)));

    expect(content).toEqual([text('a')]);
    expect(reading.taken).toBe(2);
  });

  test('with nothing for a reader has no events', () => {
    const reading = readingOf();

    expect(reading.read(messages(''))).toEqual([]);

    expect(reading).toMatchObject({ taken: 1, hadEvents: false });
  });
});

describe('the end of an answer', () => {
  test.each([
    ['that [DONE] marks', ['{"chunk":"a"}', '[DONE]\n'], 'marked'],
    ['of another form', ['{"chunk":"a"}', '{"type":"done"}'], 'unmarked'],
    ['behind which more stands in the same message', ['{"type":"done"}\n{"chunk":"late"}\n'], undefined],
    ['that is a failure', ['{"type":"error","message":"no"}'], undefined],
    ['that has not come', ['{"chunk":"a"}'], undefined],
  ])('%s', (_what, texts, end) => {
    const reading = readingOf({ entry: { framing: 'ndjson' } });

    reading.read(messages(...texts));

    expect(reading.end).toBe(end);
  });

  test('comes with a clean close, together with what was held back for it', () => {
    const reading = readingOf({ bodyType: 'application/json' });

    expect(reading.read(messages('{"chunk":"a"}'))).toEqual([]);
    expect(reading.close()).toEqual([text('a')]);

    expect(reading).toMatchObject({ ending: { type: 'end' }, end: 'unmarked', hadEvents: true });
  });

  test('comes with a close before any message, and was no answer', () => {
    const reading = readingOf();

    expect(reading.close()).toEqual([]);

    expect(reading).toMatchObject({ taken: 0, ending: { type: 'end' }, hadEvents: false });
  });

  test('is not the [DONE] that the answer before it still owed', () => {
    const reading = readingOf({ followsUnmarked: true });

    expect(reading.read(messages('[DONE]', '{"chunk":"a"}'))).toEqual([text('a')]);

    expect(reading).toMatchObject({ taken: 2, ending: undefined });
  });
});

describe('what is recorded', () => {
  test('the first text, once, and how many there were', () => {
    const reading = readingOf({ entry: { structured: 'pass' } });

    reading.read(messages('{"other":1}'));
    const { firstChunkAt } = record;
    reading.read(messages('{"chunk":"a"}', '{"chunk":"b"}'));

    expect(firstChunkAt).toBeDefined();
    expect(record).toMatchObject({ firstChunkAt, chunksReceived: 3 });
    expect(record).not.toHaveProperty('interrupted');
    expect(answers).toBe(3);
  });

  test('no text, where data is none, which is no part of the answer either', () => {
    const reading = readingOf({ entry: { structured: 'event' } });

    expect(reading.read(messages('{"other":1}'))).toMatchObject([{ type: 'data', value: { other: 1 } }]);

    expect(record).toEqual(newRecord());
    expect(reading.hadEvents).toBe(true);
    expect(answers).toBe(0);
  });

  test('reasoning, which is a part of the answer, but no text of it', () => {
    const reading = readingOf({ entry: { dialect: 'ag-ui' } });

    reading.read(messages('{"type":"REASONING_MESSAGE_CONTENT","messageId":"r","delta":"hm"}'));

    expect(record).toEqual(newRecord());
    expect(answers).toBe(1);
  });

  test('that the agent asks something', () => {
    const reading = readingOf({ entry: { dialect: 'langgraph' } });

    reading.read(messages('{"__interrupt__":[{"value":"add?","id":"i1"}]}'));

    expect(record.interrupted).toBe(true);
  });

  test('documents that became no event, and how long they were', () => {
    const reading = readingOf({ entry: { textPath: 'text' } });

    reading.read(messages('"a repr"', '"another"'));

    expect(reading.leftOut).toEqual({ count: 2, characters: 6 + 7 });
    expect(reading.hadEvents).toBe(false);
  });

  test('a document over the limit, which ends the answer', () => {
    const reading = readingOf({ entry: { framing: 'ndjson' }, maxMessageBytes: 10 });

    reading.read(messages('{"chunk":"a long one"'));

    expect(reading.ending).toMatchObject({ type: 'malformed', problem: expect.stringMatching(/size limit/) });
  });
});
