import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { script } from '../fixtures/puppet-agent.ts';
import { newSessionId } from '../fixtures/sse.ts';
import { AG_UI_RELEASES, AI_RELEASES, type Chat, createChat, textOf } from './clients.ts';
import { DONE, type KitSystem, STRANDS_ANSWER, say, startKitSystem } from './kit-system.ts';

let kits: KitSystem;

beforeAll(async () => {
  kits = await startKitSystem({ sessions: true });
});
afterAll(() => kits?.close());

/** Waits until the answer says so; the question is a script that may say the same. */
async function has(chat: Chat, text: string): Promise<void> {
  const isThere = () => chat.messages.some((one) => one.role === 'assistant' && textOf(one).includes(text));
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const stopAnswer = (id: string) => fetch(`${kits.url}/sessions/${id}/stop`, { method: 'POST' });

describe.each(Object.entries(AI_RELEASES))('ai %s, where sessions are kept', (_name, release) => {
  const startChat = (id: string) => createChat({ release, api: `${kits.url}/chat`, id });

  test('reads an answer whose events have ids', async () => {
    const chat = startChat(newSessionId());

    await chat.sendMessage({ text: script(...STRANDS_ANSWER) });

    expect([chat.status, chat.error, textOf(chat.messages[1])]).toEqual(['ready', undefined, 'It is 3.']);
  });

  test('resumes a running answer from its beginning when its page is loaded again', async () => {
    const id = newSessionId();
    const before = startChat(id);
    const sending = before.sendMessage({ text: script(say('one '), say('two'), { sleepMs: 60_000 }, DONE) });
    await has(before, 'one two');
    const [question] = before.messages;
    await before.stop();
    await sending;

    const after = startChat(id);
    after.messages = question ? [question] : [];
    const resuming = after.resumeStream();
    await has(after, 'one two');
    await stopAnswer(id);
    await resuming;

    expect([after.status, after.messages.length, textOf(after.messages[1])]).toEqual(['ready', 2, 'one two']);
  });

  test('is told that an answer still runs, and goes on once that was stopped', async () => {
    const id = newSessionId();
    const chat = startChat(id);
    const sending = chat.sendMessage({ text: script(say('one'), { sleepMs: 60_000 }, DONE) });
    await has(chat, 'one');
    await chat.stop();
    await sending;

    await chat.sendMessage({ text: script(say('two'), DONE) });
    const refused = chat.error?.message;
    const stopped = await stopAnswer(id);
    do await chat.regenerate();
    while (chat.error?.message.startsWith('Another answer'));

    expect(refused).toMatch(/^Another answer of this session is running \(request /);
    expect(await stopped.json()).toEqual({ stopped: true });
    expect([chat.status, textOf(chat.messages.at(-1))]).toEqual(['ready', 'two']);
  });
});

describe.each(Object.entries(AG_UI_RELEASES))(
  '@ag-ui/client %s, where sessions are kept',
  (_name, release) => {
    test('reads an answer whose events have ids', async () => {
      const agent = new release.HttpAgent({ url: `${kits.url}/ag-ui` });
      agent.addMessage({ id: 'u', role: 'user', content: script(...STRANDS_ANSWER) });

      await agent.runAgent();

      expect(agent.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'It is 3.' });
    });
  },
);
