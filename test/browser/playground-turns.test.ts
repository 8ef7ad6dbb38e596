import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import type { System } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { answerOf, arnOf, type Playground, reach, shown, startPlayground } from './page.ts';

const PROMPT = 'a static website';
/** An answer of the puppet that runs for as long as a test can need. */
const LONG = script({ send: 'text ', times: 1_000, everyMs: 50 }, { close: 1000 });

let puppet: PuppetAgent;
let playground: Playground;
let system: System;
let context: BrowserContext;
let page: Page;
let complaints: string[];
let send: (prompt: string) => Promise<Locator>;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  playground = await startPlayground({
    replacedAgents: { mwc: puppet.target },
    // Time enough to see the wait before it, also on a slow machine.
    environment: { COMMIT_AFTER_MS: '9000' },
  });
  ({ system } = playground);
});
afterAll(async () => {
  await playground?.close();
  await puppet?.close();
});
beforeEach(async () => {
  ({ page, context, complaints, send } = await playground.open());
});
afterEach(async () => {
  system.dataPlane.fault(arnOf(system, 'onboarding'), undefined);
  await context.close();
});

const selectedAgent = () => page.locator('#agent').inputValue();
const currentSession = () => page.locator('#session').getAttribute('data-session');

/** A turn whose answer runs until it is stopped. */
async function sendLong(): Promise<Locator> {
  await page.locator('#agent').selectOption('mwc');
  const turn = await send(LONG);
  await reach(turn, 'streaming');
  return turn;
}

/** A turn of the onboarding agent that got as far as some text. */
async function interrupted(): Promise<Locator> {
  system.dataPlane.fault(arnOf(system, 'onboarding'), FAULTS.dropAfter(4), 1);
  const turn = await send(PROMPT);
  await reach(turn, 'interrupted');
  return turn;
}

describe('while there is no text', () => {
  const says = (turn: Locator, words: RegExp) => turn.locator('.status', { hasText: words }).waitFor();

  test('the page says what it knows: a request that waits, then one that the service holds', async () => {
    system.dataPlane.fault(arnOf(system, 'onboarding'), FAULTS.slowUpgrade(12_000), 1);

    const turn = await send(PROMPT);
    await says(turn, /^Waiting for the agent, \d+(\.\d)? m?s$/);
    const charts = await turn.locator('.arrivals').count();
    await says(turn, /^Waiting for the agent, \d+\.\d s; a session's first turn may start a machine$/);
    await says(turn, /^Thinking, no text for \d+\.\d s$/);
    await reach(turn, 'complete');

    expect(charts).toBe(0);
    expect(await turn.locator('.arrivals').count()).toBe(1);
    expect(complaints).toEqual([]);
  }, 60_000);

  test('the second turn of a session is not explained by a machine that starts', async () => {
    await reach(await send(PROMPT), 'complete');
    system.dataPlane.fault(arnOf(system, 'onboarding'), FAULTS.slowUpgrade(8_000), 1);

    const turn = await send('a queue');
    await says(turn, /^Waiting for the agent, [4-7]\.\d s/);

    expect(await shown(turn.locator('.status'))).not.toContain('machine');
  });
});

describe('after a failure', () => {
  test('"Try again" asks the agent and the session that failed, whatever is selected since', async () => {
    const onboarding = system.agents.find(({ id }) => id === 'onboarding');
    system.dataPlane.fault(arnOf(system, 'onboarding'), FAULTS.refuse(503), 1);
    const turn = await send(PROMPT);
    await reach(turn, 'failed');
    const session = (await currentSession()) ?? '';
    await page.locator('#agent').selectOption('provisioning');
    await reach(await send('a queue'), 'complete');

    await turn.getByRole('button', { name: 'Try again', exact: true }).click();
    const again = page.locator('.turn').nth(2);
    await reach(again, 'complete');

    expect(await shown(again.locator('.speaker'))).toBe('OnboardingAgent');
    expect(await selectedAgent()).toBe('onboarding');
    expect(await currentSession()).toBe(session);
    expect(await onboarding?.promptsReceived(session)).toBe(1);
    expect(await page.locator('.divider').allInnerTexts()).toEqual([
      'New session with ProvisioningAgent',
      expect.stringMatching(/^Back to OnboardingAgent, session \w{8}…$/),
    ]);
  });

  test('"Try again" waits as long as the service says, and counts', async () => {
    const headers = { 'retry-after': '6' };
    const refusal = FAULTS.refuse(429, 'ThrottlingException', 'slow down', { headers });
    system.dataPlane.fault(arnOf(system, 'onboarding'), refusal, 1);

    const turn = await send(PROMPT);
    const button = turn.getByRole('button', { name: 'Try again' });
    await button.waitFor();
    const [words, isEnabled] = await Promise.all([shown(button), button.isEnabled()]);
    const startedAt = performance.now();
    await turn.getByRole('button', { name: 'Try again', exact: true, disabled: false }).waitFor();

    expect(words).toMatch(/^Try again in [1-6] s$/);
    expect(isEnabled).toBe(false);
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
  });

  test('"Ask what it did" asks in the session that was interrupted', async () => {
    const turn = await interrupted();
    const session = await currentSession();
    await page.getByRole('button', { name: 'New session' }).click();
    await reach(await send('a queue'), 'complete');

    await turn.getByRole('button', { name: 'Ask what it did' }).click();
    await page.locator('#prompt').press('Enter');
    const asked = page.locator('.turn').nth(2);
    await reach(asked, 'complete');

    expect(await currentSession()).toBe(session);
    expect(await shown(answerOf(asked))).toContain(`Earlier in this session you asked for: "${PROMPT}"`);
  });

  test('its buttons wait until no other answer runs', async () => {
    const button = (await interrupted()).getByRole('button', { name: 'Ask what it did' });
    const before = await button.isEnabled();

    const next = await sendLong();
    const during = await button.isEnabled();
    await page.locator('#stop').click();
    await reach(next, 'stopped');

    expect([before, during, await button.isEnabled()]).toEqual([true, false, true]);
  });
});

describe('while an answer runs', () => {
  test('Escape closes the figures and leaves the answer alone; the next one stops it', async () => {
    const turn = await sendLong();
    await page.locator('.metrics-toggle').click();
    await page.locator('.metrics-panel').waitFor();

    await page.keyboard.press('Escape');
    await page.locator('.metrics-panel').waitFor({ state: 'hidden' });
    await grows(turn);
    await page.keyboard.press('Escape');

    await reach(turn, 'stopped');
  });

  test('an Escape that somebody else has dealt with does not stop it', async () => {
    const turn = await sendLong();
    await page.evaluate(() =>
      addEventListener('keydown', (event) => event.preventDefault(), { capture: true, once: true }),
    );

    await page.keyboard.press('Escape');
    await grows(turn);
    await page.keyboard.press('Escape');

    await reach(turn, 'stopped');
  });

  test('Enter keeps the prompt and says why nothing is sent', async () => {
    const turn = await sendLong();

    await page.locator('#prompt').fill('a queue');
    await page.locator('#prompt').press('Enter');
    const words = await shown(page.locator('#notice'));
    await page.locator('#stop').click();
    await reach(turn, 'stopped');

    expect(words).toMatch(/^Stop the running answer first/);
    expect(await page.locator('#prompt').inputValue()).toBe('a queue');
    expect(await page.locator('.turn').count()).toBe(1);
    expect(await shown(page.locator('#notice'))).toBe('');
  });

  /** Resolves when more text has come. */
  async function grows(turn: Locator): Promise<void> {
    const answer = answerOf(turn);
    const { length } = (await answer.textContent()) ?? '';
    await page.waitForFunction(([element, length]) => (element?.textContent ?? '').length > length + 20, [
      await answer.elementHandle(),
      length,
    ] as const);
  }
});

describe('an answer', () => {
  test('has its headings below the name of its agent', async () => {
    const turn = await send(PROMPT);
    await reach(turn, 'complete');

    const heading = (level: number, name: string) => turn.getByRole('heading', { level, name }).count();
    expect(await heading(2, 'OnboardingAgent')).toBe(1);
    expect(await heading(3, `Architecture for "${PROMPT}"`)).toBe(1);
    expect(await heading(4, 'Cost estimate')).toBe(1);
  });

  test('shows a structured event as a mark in the text, and all of it on request', async () => {
    await page.locator('#agent').selectOption('provisioning');
    const turn = await send(PROMPT);
    await reach(turn, 'complete');

    const mark = turn.locator('button.event').nth(1);
    const before = await shown(answerOf(turn));
    await mark.click();

    expect(before).not.toContain('{');
    expect(before).toMatch(/Creating the change set …\s*progress\s+step 2 of 4 · COMPLETE\s+done/);
    expect(await shown(mark)).toBe('{"type":"progress","step":2,"of":4,"status":"COMPLETE"}');
  });

  test('has JSON in a block of code as it is, also where it arrives by itself', async () => {
    await page.locator('#agent').selectOption('mwc');

    const steps = ['```json\n', '{"a":1}', '\n{}', '\n```\n', 'and ', '{}', ' and `', '{"b":2}', '`'];
    const turn = await send(script(...steps.map((send) => ({ send })), { close: 1000 }));
    await reach(turn, 'complete');

    expect(await turn.locator('.code code').textContent()).toBe('{"a":1}\n{}');
    expect(await shown(answerOf(turn).locator('p'))).toBe('and {} and {"b":2}');
  });

  test('that is JSON over several lines is shown as a mark too', async () => {
    await page.locator('#agent').selectOption('mwc');

    const json = JSON.stringify({ type: 'tool', input: { name: 'x' }, tags: ['a', 'b'] }, null, 2);
    const turn = await send(script({ send: 'Working. ' }, { send: json }, { close: 1000 }));
    await reach(turn, 'complete');

    expect(await shown(answerOf(turn))).toBe('Working. tool input {…} · tags […]');
  });
});

test('a session id that is copied twice in a moment is a session id again', async () => {
  const id = page.locator('#session-id');
  const label = await shown(id);

  await page.locator('#session').dblclick();
  await id.filter({ hasText: /^(Copied|Cannot copy)$/ }).waitFor();

  await id.filter({ hasText: label }).waitFor();
});
