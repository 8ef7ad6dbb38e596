import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { script } from '../fixtures/puppet-agent.ts';
import { AI_RELEASES, createChat, textOf } from './clients.ts';
import { describedFetch } from './described.ts';
import { DONE, type KitSystem, STRANDS_ANSWER, say, startKitSystem } from './kit-system.ts';

let kits: KitSystem;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', onRejection);
  kits = await startKitSystem();
});
afterAll(async () => {
  await kits?.close();
  process.off('unhandledRejection', onRejection);
  expect(rejections).toEqual([]);
});

const described = describedFetch('/api/agents/{agentId}/chat');
const sessions = () => kits.puppet.prompts.map(({ sessionId }) => sessionId);

describe.each(Object.entries(AI_RELEASES))('ai %s', (_name, release) => {
  const startChat = (id?: string) =>
    createChat({ release, api: `${kits.url}/chat`, ...(id !== undefined && { id }), fetch: described.fetch });
  afterEach(async () => {
    expect(await described.faults()).toEqual([]);
  });
  beforeEach(() => {
    kits.puppet.prompts.length = 0;
  });

  test('shows thoughts, a tool with its result, text and tokens, and runs no tool itself', async () => {
    const chat = startChat();

    await chat.sendMessage({ text: script(...STRANDS_ANSWER) });

    const answer = chat.messages[1];
    expect({ status: chat.status, error: chat.error }).toEqual({ status: 'ready', error: undefined });
    expect(answer?.parts.map(({ type }) => type)).toEqual([
      'step-start',
      'reasoning',
      'dynamic-tool',
      'text',
    ]);
    expect(answer?.parts[2]).toMatchObject({
      toolName: 'add',
      state: 'output-available',
      input: { a: 1, b: 2 },
      output: expect.anything(),
    });
    expect(textOf(answer)).toBe('It is 3.');
    expect(answer?.metadata).toEqual({
      sessionId: sessions()[0],
      usage: { inputTokens: 10, outputTokens: 5 },
    });
    expect(chat.asked).toEqual([]);
  });

  test('goes on in the session of the first turn, also after a regeneration', async () => {
    const chat = startChat('chat');

    await chat.sendMessage({ text: script(say('one'), DONE) });
    await chat.sendMessage({ text: script(say('two'), DONE) });
    await chat.regenerate();

    expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(new Set(chat.messages.map(({ id }) => id)).size).toBe(4);
    expect(sessions()).toEqual(Array(3).fill(sessions()[0]));
  });

  test('keeps two pages apart whose chats have the same short id', async () => {
    for (const chat of [startChat('chat'), startChat('chat')]) {
      await chat.sendMessage({ text: script(say('x'), DONE) });
    }

    expect(new Set(sessions()).size).toBe(2);
  });

  test('shows an error before the answer as one sentence', async () => {
    const chat = startChat();

    await chat.sendMessage({ text: script({ send: '{"type":"error","message":"no model"}' }) });

    expect(chat.status).toBe('error');
    expect(chat.error?.message).toMatch(/^The agent reported an error: no model\. .* \(request [\w-]+\)$/);
  });

  test('shows an error within the answer, and keeps the text so far', async () => {
    const chat = startChat();

    await chat.sendMessage({ text: script(say('half'), { drop: true }) });

    expect(chat.status).toBe('error');
    expect(chat.error?.message).toMatch(/^The connection to the agent was lost\. /);
    expect(textOf(chat.messages[1])).toBe('half');
  });

  test('does not mind a silence', async () => {
    const chat = startChat();

    await chat.sendMessage({ text: script(say('a'), { sleepMs: 350 }, say('b'), DONE) });

    expect([chat.status, textOf(chat.messages[1])]).toEqual(['ready', 'ab']);
  });

  test('can be stopped, and goes on in the session', async () => {
    const chat = startChat();

    const sending = chat.sendMessage({ text: script(say('a'), { sleepMs: 60_000 }, DONE) });
    while (textOf(chat.messages[1]) !== 'a') await new Promise((resolve) => setTimeout(resolve, 5));
    await chat.stop();
    await sending;
    await chat.sendMessage({ text: script(say('b'), DONE) });

    expect([chat.status, textOf(chat.messages[3])]).toEqual(['ready', 'b']);
    expect(sessions()[1]).toBe(sessions()[0]);
  });

  test('finds nothing to resume, without an error', async () => {
    const chat = startChat();

    await chat.resumeStream();

    expect({ status: chat.status, error: chat.error }).toEqual({ status: 'ready', error: undefined });
  });
});
