import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { FAULTS } from '../../local/data-plane-faults.ts';
import type { AgentFigures, LiveFigures } from '../../local/live-metrics.ts';
import { arnOf, type OpenPage, PHONE, type Playground, reach, shown, startPlayground } from './page.ts';

const PROMPT = 'a static website';

let playground: Playground;
let context: BrowserContext;

beforeAll(async () => {
  playground = await startPlayground();
});
afterAll(() => playground?.close());
afterEach(() => context?.close());

async function open(options?: BrowserContextOptions): Promise<OpenPage> {
  const opened = await playground.open(options);
  ({ context } = opened);
  return opened;
}

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

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

async function boxOf(element: Locator): Promise<Box> {
  const { x, y, width, height } = (await element.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  return { left: x, right: x + width, top: y, bottom: y + height };
}

const overflowOf = (element: Locator) =>
  element.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);

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
    for (const cell of await page.locator('.metrics-table :is(tbody th, td)').all()) {
      const { left, right } = await boxOf(cell);
      expect(left).toBeGreaterThanOrEqual(panel.left);
      expect(right).toBeLessThanOrEqual(panel.right);
      expect(await overflowOf(cell)).toBe(0);
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

test("a region's name in a heading is not broken at its hyphens on a phone", async () => {
  const { page, send } = await open(PHONE);
  await page.locator('#agent').selectOption('provisioning');
  const turn = await send('orders-api in us-east-1');
  await reach(turn, 'complete');

  const lines = await turn.locator('.answer h3').evaluate((heading) => {
    const texts = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT);
    const tops: number[] = [];
    for (let text = texts.nextNode() as Text | null; text; text = texts.nextNode() as Text | null) {
      for (const { index, 0: name } of text.data.matchAll(/us-east-1/g)) {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + name.length);
        tops.push(...[...range.getClientRects()].map(({ top }) => top));
      }
    }
    return tops;
  });

  expect(lines).toHaveLength(1);
  expect(await turn.locator('.answer h3').textContent()).toBe('Deploying "orders-api in us-east-1"');
});

test('the ids of a failure stand below each other on a phone, each a line of its own', async () => {
  const { page, send } = await open(PHONE);
  const arn = arnOf(playground.system, 'onboarding');
  playground.system.dataPlane.fault(arn, FAULTS.refuse(403, 'AccessDeniedException'), 1);
  const turn = await send(PROMPT);
  await reach(turn, 'failed');

  const ids = turn.locator('.ids > span');
  const boxes = await Promise.all((await ids.all()).map(boxOf));
  const words = await ids.allInnerTexts();

  expect(words).toEqual([expect.stringMatching(/^request \S+$/), 'AgentCore request fault-request-id']);
  expect(boxes[1]?.top).toBeGreaterThanOrEqual(boxes[0]?.bottom ?? 0);
  expect(await shown(turn.locator('.ids'))).not.toContain('·');
  expect(await overflowOf(page.locator('main'))).toBe(0);
});

describe('the raw events', () => {
  test.each([
    ['a desktop', undefined],
    ['a phone', PHONE],
  ])('open on %s with events in sight, clear of the composer', async (_, options) => {
    const { page, send } = await open(options);
    const turn = await send(PROMPT);
    await reach(turn, 'complete');

    await turn.getByText('Raw events').click();

    const start = turn.locator('.read', { hasText: 'data: {"start":true' });
    await start.waitFor();
    await expectStill(turn.locator('.reads'));
    const composer = await boxOf(page.locator('.dock'));
    expect((await boxOf(start)).bottom).toBeLessThan(composer.top);
    expect((await boxOf(turn.locator('.reads'))).bottom).toBeLessThanOrEqual(composer.top - 8);
    expect(await turn.getByText('content-type: text/event-stream').isVisible()).toBe(false);
    await turn.getByText('HTTP 200').click();
    expect(await turn.getByText('content-type: text/event-stream').isVisible()).toBe(true);
  });

  test('have the time of each to the millisecond', async () => {
    const { send } = await open();
    const turn = await send(PROMPT);
    await reach(turn, 'complete');

    await turn.getByText('Raw events').click();
    const times = await turn.locator('.reads time').allTextContents();

    expect(times.filter((time) => !/^(\d,)?\d{1,3} ms$/.test(time))).toEqual([]);
    expect(times.at(-1)).toMatch(/^\d,\d{3} ms$/);
  });

  test('are opened on a phone by something as tall as a finger', async () => {
    const { send } = await open(PHONE);
    const turn = await send(PROMPT);
    await reach(turn, 'complete');

    const { top, bottom } = await boxOf(turn.locator('.wiretap > summary'));

    expect(bottom - top).toBeGreaterThanOrEqual(44);
  });

  test('begin with what was sent, also where nothing came back', async () => {
    const { send } = await open();
    await context.setOffline(true);
    const turn = await send(PROMPT);
    await reach(turn, 'failed');

    await turn.getByText('Raw events').click();
    await turn.getByText(/^POST \/, \d+ B$/).click();

    const sent = JSON.parse((await turn.locator('.reads .read').textContent()) ?? '');
    expect(sent).toMatchObject({ agentId: 'onboarding', prompt: PROMPT });
    expect(await turn.locator('.reads li').count()).toBe(1);
  });
});

/** Waits until nothing scrolls any more. */
async function expectStill(element: Locator): Promise<void> {
  for (let before = Number.NaN; ; ) {
    const { top } = await boxOf(element);
    if (top === before) return;
    before = top;
    await element.page().waitForTimeout(100);
  }
}
