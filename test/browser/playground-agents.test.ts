import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { answerOf, reach, shown } from './page.ts';
import { usePlayground } from './use-playground.ts';

const PROMPT = 'a static website';

const playground = usePlayground();
let page: Page;
let send: (prompt: string) => Promise<Locator>;

beforeEach(async () => {
  ({ page, send } = await playground.open());
});

const currentSession = () => page.locator('#session').getAttribute('data-session');
const newSession = () => page.getByRole('button', { name: 'New session' }).click();

/** As with the arrow keys on the closed select, which a Mac opens instead. */
async function select(...agents: string[]): Promise<void> {
  await page.locator('#agent').focus();
  for (const agent of agents) await page.locator('#agent').selectOption(agent);
}

describe('looking through the agents', () => {
  test('leaves the focus where it is', async () => {
    await select('provisioning', 'mwc');

    const focused = await page.evaluate(() => document.activeElement?.id);

    expect(focused).toBe('agent');
  });

  test('and going back before the next prompt keeps the session', async () => {
    await reach(await send('canary-2718'), 'complete');
    const session = await currentSession();

    await select('provisioning', 'mwc');
    const away = await currentSession();
    await select('onboarding');
    const dividers = await page.locator('.divider').count();
    const turn = await send('a queue');
    await reach(turn, 'complete');

    expect(away).not.toBe(session);
    expect(await currentSession()).toBe(session);
    expect(dividers).toBe(0);
    expect(await shown(answerOf(turn))).toContain('Earlier in this session you asked for: "canary-2718"');
  });

  test('and going back keeps a new session too, which has no prompt yet', async () => {
    await reach(await send(PROMPT), 'complete');
    const first = await currentSession();
    await newSession();
    const second = await currentSession();

    await select('mwc', 'onboarding');

    expect(await currentSession()).toBe(second);
    expect(second).not.toBe(first);
    expect(await page.locator('.divider').allInnerTexts()).toEqual(['New session with OnboardingAgent']);
  });

  test('is over with the next prompt: after that, going back begins a new session', async () => {
    await reach(await send(PROMPT), 'complete');
    const session = await currentSession();
    await select('provisioning');
    await reach(await send('a queue'), 'complete');

    await select('onboarding');

    expect(await currentSession()).not.toBe(session);
  });
});

describe('a new session below other turns', () => {
  test('is introduced: what the agent does, and prompts that it can answer', async () => {
    await reach(await send(PROMPT), 'complete');

    await select('provisioning');
    const isNamedTwice = await page.locator('#welcome-name').isVisible();
    const divider = await page.locator('.divider').boundingBox();
    const description = await page.getByText('Deploys a template and reports its progress').boundingBox();
    await page.getByRole('button', { name: 'static-site in eu-west-1' }).click();
    const turn = page.locator('.turn').nth(1);
    await reach(turn, 'complete');

    expect(isNamedTwice).toBe(false);
    expect(description?.y).toBeGreaterThan((divider?.y ?? 0) + (divider?.height ?? 0));
    expect(await shown(turn)).toContain('The stack for "static-site in eu-west-1" is complete.');
    expect(await page.locator('#welcome').isVisible()).toBe(false);
  });

  test('that is gone back to is not introduced again', async () => {
    const turn = await send(PROMPT);
    await reach(turn, 'streaming');
    await page.keyboard.press('Escape');
    await reach(turn, 'stopped');
    await newSession();
    const isIntroduced = await page.locator('#welcome').isVisible();

    await turn.getByRole('button', { name: 'Ask what it did' }).click();

    expect(isIntroduced).toBe(true);
    expect(await page.locator('#welcome').isVisible()).toBe(false);
    expect(await page.locator('.divider').count()).toBe(0);
  });
});
