import { describe, expect, test } from '@jest/globals';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { AgentFigures, LiveFigures } from '../../local/playground/live-metrics.ts';
import { boxOf, expectStill, overflowOf, PHONE, reach } from './page.ts';
import { usePlayground } from './use-playground.ts';

const PROMPT = 'a static website';

const { open } = usePlayground();

const QUANTILES = { p50: 1234, p90: 12_345, p99: 23_456 };

/** Figures of a system that has been busy, so that they are wide. */
const BUSY: LiveFigures = {
  all: {
    invocations: 3705,
    errors: 105,
    successRate: 97.2,
    firstChunk: QUANTILES,
    firstChunkWarm: QUANTILES,
  },
  agents: ['onboarding', 'provisioning', 'mwc'].map(
    (agent, index): AgentFigures => ({
      agent,
      invocations: 1234 + index,
      errors: 34,
      successRate: 97.2,
      firstChunk: QUANTILES,
      firstChunkWarm: QUANTILES,
      outcomes: index === 1 ? { Throttled: 30, AgentInterrupted: 4 } : {},
      connectionsOpened: 1234,
      connectionsReused: 234,
    }),
  ),
  rejected: 12,
  coldStarts: 20,
  concurrentStreams: 10,
  connectionTime: QUANTILES,
  totals: { InvocationCount: 3705, RetryCount: 17, ResponseBytes: 123_456_789 },
};

/** Opens the page with those figures. */
async function openBusy(options: BrowserContextOptions): Promise<Page> {
  const { page } = await open(options);
  await page.route('**/playground/metrics', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: `data: ${JSON.stringify(BUSY)}\n\n` }),
  );
  await page.reload();
  await page.locator('.metrics-toggle', { hasText: '3705' }).waitFor();
  return page;
}

describe('the bar', () => {
  const CONTROLS = ['#agent', '.metrics-toggle', '#session', '#new-session'];

  test.each([320, 360, 390])('has two rows on a phone of %d px, with busy figures', async (width) => {
    const page = await openBusy({ ...PHONE, viewport: { width, height: 800 } });

    const boxes = await Promise.all(CONTROLS.map((control) => boxOf(page.locator(control))));
    const bar = await boxOf(page.locator('.bar'));

    const rows = new Set(boxes.map(({ top, bottom }) => Math.round((top + bottom) / 20)));
    expect(rows.size).toBeLessThanOrEqual(2);
    expect(bar.bottom).toBeLessThan(110);
    for (const { left, right } of boxes) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(width);
    }
    expect(await overflowOf(page.locator('.bar'))).toBe(0);
    // What is written in it: the button itself may be wider than its words, or cut them off.
    const figures = await page.locator('.metrics-toggle').evaluate((toggle) => {
      const words = document.createRange();
      words.selectNodeContents(toggle);
      return Math.max(words.getBoundingClientRect().right, toggle.getBoundingClientRect().right);
    });
    const session = await boxOf(page.locator('#session-id'));
    expect(session.left - figures).toBeGreaterThanOrEqual(8);
  });

  test.each([641, 700, 768, 1024])('has one row at %d px, and nothing in it wraps', async (width) => {
    const page = await openBusy({ viewport: { width, height: 800 } });

    const parts = [...CONTROLS, '.brand'].map((part) => boxOf(page.locator(part)));
    const boxes = await Promise.all(parts);

    for (const { top, bottom } of boxes) expect(bottom - top).toBeLessThan(44);
    expect(new Set(boxes.map(({ top, bottom }) => Math.round((top + bottom) / 20))).size).toBe(1);
    expect(await overflowOf(page.locator('.bar'))).toBe(0);
  });

  test('does not jump when the figures come', async () => {
    const { page } = await open(PHONE);
    await page.route('**/playground/metrics', (route) => route.abort());
    await page.reload();
    await page.locator('#agent:enabled').waitFor();

    const without = await boxOf(page.locator('.bar'));
    const busy = await openBusy(PHONE);

    expect(without.bottom).toBe((await boxOf(busy.locator('.bar'))).bottom);
  });
});

describe('the figures', () => {
  test('open below their button on a desktop', async () => {
    const page = await openBusy({ viewport: { width: 1280, height: 800 } });

    await page.locator('.metrics-toggle').click();

    const toggle = await boxOf(page.locator('.metrics-toggle'));
    const panel = await boxOf(page.locator('.metrics-panel'));
    expect(Math.abs(panel.left - toggle.left)).toBeLessThan(16);
    expect(panel.top).toBeGreaterThanOrEqual(toggle.bottom);
    expect(panel.top - toggle.bottom).toBeLessThan(20);
    expect(panel.right).toBeLessThanOrEqual(1280);
  });

  test.each([320, 390])('are all there on a phone of %d px, and cover no row of the bar', async (width) => {
    const page = await openBusy({ ...PHONE, viewport: { width, height: 800 } });

    await page.locator('.metrics-toggle').click();

    const panel = await boxOf(page.locator('.metrics-panel'));
    const session = await boxOf(page.locator('#session'));
    expect(panel.top).toBeGreaterThanOrEqual(session.bottom);
    expect(panel.left).toBeGreaterThanOrEqual(0);
    expect(panel.right).toBeLessThanOrEqual(width);
    expect(await overflowOf(page.locator('.metrics-panel'))).toBe(0);
    expect(await page.locator('.metrics-panel').getByText('234 reused').count()).toBe(3);
    // All at once, as the next figures put other cells in their places.
    const cells = await page.locator('.metrics-table :is(tbody th, td)').evaluateAll((all) =>
      all.map((cell) => {
        const { left, right } = cell.getBoundingClientRect();
        return { left, right, overflow: cell.scrollWidth - cell.clientWidth };
      }),
    );
    expect(cells.length).toBeGreaterThan(0);
    for (const { left, right, overflow } of cells) {
      expect(left).toBeGreaterThanOrEqual(panel.left);
      expect(right).toBeLessThanOrEqual(panel.right);
      expect(overflow).toBe(0);
    }
  });

  test('have the same names on a phone as on a desktop', async () => {
    const page = await openBusy(PHONE);
    await page.locator('.metrics-toggle').click();

    const heads = await page.locator('.metrics-table thead th').allTextContents();
    const labels = await page
      .locator('.metrics-table tbody tr')
      .first()
      .locator('td')
      .evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell, '::before').content));

    expect(labels).toEqual(heads.slice(1).map((head) => `"${head}"`));
    expect(heads).toContain('First text p90');
    expect(await page.locator('.metrics-table tbody th').allTextContents()).toEqual([
      'OnboardingAgent',
      'ProvisioningAgent',
      'MWCAgent',
    ]);
  });

  test.each([660, 800, 850])('are not cut in a window of %d px', async (width) => {
    const page = await openBusy({ viewport: { width, height: 800 } });

    await page.locator('.metrics-toggle').click();

    expect(await overflowOf(page.locator('.metrics-panel'))).toBe(0);
    const { left, right } = await boxOf(page.locator('.metrics-panel'));
    expect(left).toBeGreaterThanOrEqual(0);
    expect(right).toBeLessThanOrEqual(width);
  });
});

describe('the composer', () => {
  const outlineOf = (element: Locator) =>
    element.evaluate((node) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(node);
      return outlineStyle === 'none' ? 'none' : outlineWidth;
    });

  test('has a ring when its text has the focus, not when its button has', async () => {
    const { page } = await open();
    const composer = page.locator('#composer');

    await page.locator('#prompt').fill('a');
    const ofText = await outlineOf(composer);
    await page.keyboard.press('Tab');
    const ofButton = await outlineOf(composer);

    expect(await page.locator('#send').evaluate((button) => button === document.activeElement)).toBe(true);
    expect([ofText, ofButton]).toEqual(['2px', 'none']);
  });
});

test('the end of an answer stays in sight while a long prompt is written', async () => {
  const { page, send } = await open(PHONE);
  const turn = await send(PROMPT);
  await reach(turn, 'complete');

  await page.locator('#prompt').fill('line\n'.repeat(6));

  await expectStill(turn);
  const end = await boxOf(turn);
  expect(end.bottom).toBeLessThanOrEqual((await boxOf(page.locator('.dock'))).top);
});
