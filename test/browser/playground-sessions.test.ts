import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { type FaultProxy, startFaultProxy } from '../../local/faults/fault-proxy.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { until } from '../fixtures/sse.ts';
import { answerOf, type Playground, reach, shown, startPlayground } from './page.ts';

const SLOW = script({ send: 'w{i} ', times: 16, everyMs: 300 }, { send: '[DONE]' });
const WORDS = Array.from({ length: 16 }, (_, i) => `w${i}`).join(' ');
const ENDLESS = script({ send: 'begun ' }, { sleepMs: 60_000 }, { send: '[DONE]' });

let puppet: PuppetAgent;
let playground: Playground;
let context: BrowserContext;
let page: Page;
let complaints: string[];
let send: (prompt: string) => Promise<Locator>;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  playground = await startPlayground({
    replacedAgents: { mwc: puppet.target },
    sessions: true,
    dataPlane: { sessionStartMs: 300 },
    environment: { SESSION_STORE_WAIT_MS: '5000' },
  });
});
afterAll(async () => {
  await playground?.close();
  await puppet?.close();
});
beforeEach(async () => {
  ({ page, context, complaints, send } = await playground.open());
  await page.locator('#agent').selectOption('mwc');
});
afterEach(() => context.close());

const currentSession = () => page.locator('#session').getAttribute('data-session');
const promptsOf = (sessionId: string | null) =>
  puppet.prompts.filter((asked) => asked.sessionId === sessionId).length;

/** A turn of which so much is there. */
async function sent(prompt: string, word: string): Promise<Locator> {
  const turn = await send(prompt);
  await answerOf(turn).filter({ hasText: word }).waitFor();
  return turn;
}

describe('a reload in the middle of an answer', () => {
  test('shows all of the answer, nothing twice, and goes on in its session', async () => {
    await sent(SLOW, 'w3');
    const sessionId = await currentSession();

    await page.reload();
    const turn = page.locator('.turn');
    await reach(turn, 'complete');

    expect((await shown(answerOf(turn))).trim()).toBe(WORDS);
    expect(await shown(turn.locator('.prompt'))).toBe(SLOW);
    expect(await currentSession()).toBe(sessionId);
    expect(promptsOf(sessionId)).toBe(1);
    const next = await send(script({ send: 'next' }, { send: '[DONE]' }));
    await reach(next, 'complete');
    expect(promptsOf(sessionId)).toBe(2);
    expect(complaints).toEqual([]);
  });

  test('shows nothing of a session that was left', async () => {
    await reach(await send(script({ send: 'done' }, { send: '[DONE]' })), 'complete');

    await page.locator('#new-session').click();
    await page.reload();
    await page.locator('#agent:enabled').waitFor();

    expect(await page.locator('.turn').count()).toBe(0);
  });
});

test('a network that drops costs no text, and no second prompt', async () => {
  const network: FaultProxy = await startFaultProxy({ target: playground.system.url });
  try {
    await page.goto(network.url);
    await page.locator('#agent:enabled').waitFor();
    await page.locator('#agent').selectOption('mwc');

    const turn = await sent(SLOW, 'w3');
    network.reset();
    await reach(turn, 'complete');

    expect((await shown(answerOf(turn))).trim()).toBe(WORDS);
    expect(promptsOf(await currentSession())).toBe(1);
  } finally {
    await network.close();
  }
});

test('Stop ends the answer where it is written, and the agent is told', async () => {
  const turn = await sent(ENDLESS, 'begun');

  await page.locator('#stop').click();
  await reach(turn, 'stopped');

  expect(await shown(turn)).toContain('You stopped this answer, and the agent was told.');
  expect((await shown(answerOf(turn))).trim()).toBe('begun');
  await until(() => puppet.open.size === 0, 'the connection to the agent is closed');
});

test('a session starts while its first prompt is written, and the page says what that saved', async () => {
  const begun = page.waitForResponse((response) => response.url().endsWith('/api/agents/mwc/sessions'));
  await page.locator('#prompt').pressSequentially('a');
  const { startMs, sessionId } = await (await begun).json();

  const turn = await send(script({ send: 'warm' }, { send: '[DONE]' }));
  await reach(turn, 'complete');

  expect(startMs).toBeGreaterThanOrEqual(290);
  expect(await currentSession()).toBe(sessionId);
  expect(promptsOf(sessionId)).toBe(1);
  expect(await shown(turn.locator('.facts'))).toMatch(/session started in .+ while you typed/);
});

test('two pages with one session cannot talk over each other', async () => {
  await sent(ENDLESS, 'begun');
  const remembered = await page.evaluate(() => sessionStorage.getItem('session'));
  const other = await playground.open();
  await other.page.evaluate((session) => sessionStorage.setItem('session', session ?? ''), remembered);
  const sessionId = await currentSession();

  const busy = await other.page.evaluate(async (id) => {
    const body = JSON.stringify({ agentId: 'mwc', prompt: 'x', sessionId: id });
    const response = await fetch('/', { method: 'POST', body });
    return [response.status, (await response.json()).error];
  }, sessionId);

  expect(busy).toEqual([409, 'SessionBusy']);
  expect(promptsOf(sessionId)).toBe(1);
  await other.context.close();
  await page.locator('#stop').click();
});
