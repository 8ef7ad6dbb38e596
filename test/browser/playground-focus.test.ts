import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { answerOf, PHONE, reach } from './page.ts';
import { usePlayground } from './use-playground.ts';

const PROMPT = 'a static website';

const playground = usePlayground();
let page: Page;
let send: (prompt: string) => Promise<Locator>;

beforeEach(async () => {
  ({ page, send } = await playground.open());
});

const hasFocus = (element: Locator) => element.evaluate((node) => node === document.activeElement);

describe('the end of an answer', () => {
  test('leaves selected text selected', async () => {
    const turn = await send(PROMPT);
    await answerOf(turn).getByRole('heading', { name: 'Cost estimate' }).waitFor();
    await page.locator('#prompt').blur();
    await answerOf(turn)
      .getByRole('heading', { name: 'Resources' })
      .evaluate((heading) => getSelection()?.selectAllChildren(heading));

    await reach(turn, 'complete');

    expect(await page.evaluate(() => String(getSelection()))).toBe('Resources');
    expect(await hasFocus(page.locator('#prompt'))).toBe(false);
  });

  test('leaves the focus where a person has moved it', async () => {
    const turn = await send(PROMPT);
    const rawEvents = turn.getByText('Raw events');
    await rawEvents.click();

    await reach(turn, 'complete');

    expect(await hasFocus(rawEvents)).toBe(true);
  });

  test('brings the focus to the prompt from a button that is gone', async () => {
    const turn = await send(PROMPT);
    await reach(turn, 'streaming');

    await page.locator('#stop').click();
    await reach(turn, 'stopped');

    expect(await hasFocus(page.locator('#prompt'))).toBe(true);
  });
});

describe('the way to the newest text', () => {
  const toLatest = () => page.locator('#to-latest');

  test('is shown whenever that is out of view, also when the answer is complete', async () => {
    await reach(await send(PROMPT), 'complete');
    const atEnd = await toLatest().isVisible();
    await page.locator('#scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
    await toLatest().click();

    await toLatest().waitFor({ state: 'hidden' });
    expect(atEnd).toBe(false);
  });

  test('is shown when something opens above the end', async () => {
    const first = await send(PROMPT);
    await reach(first, 'complete');
    await reach(await send('a queue'), 'complete');

    await first.locator('.wiretap').evaluate((details: HTMLDetailsElement) => {
      details.open = true;
    });

    await toLatest().waitFor();
  });

  test('is not shown where there is no text yet, and all of the suggestions are in sight', async () => {
    const opened = await playground.open({ ...PHONE, viewport: { width: 844, height: 390 } });
    const suggestion = opened.page.locator('.suggestion').last();
    await suggestion.waitFor();
    await opened.page.waitForTimeout(100);

    const dock = await opened.page.locator('.dock').boundingBox();
    const last = await suggestion.boundingBox();
    const name = await opened.page.locator('#welcome-name').boundingBox();
    const bar = await opened.page.locator('.bar').boundingBox();
    const isShown = await opened.page.locator('#to-latest').isVisible();
    await opened.context.close();

    expect(isShown).toBe(false);
    expect(name?.y).toBeGreaterThanOrEqual((bar?.y ?? 0) + (bar?.height ?? 0));
    expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual(dock?.y ?? 0);
  });
});
