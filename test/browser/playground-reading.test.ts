import { describe, expect, test } from '@jest/globals';

import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { arnOf, boxOf, expectStill, overflowOf, PHONE, reach, shown } from './page.ts';
import { usePlayground } from './use-playground.ts';

const PROMPT = 'a static website';

const playground = usePlayground();
const { open } = playground;

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
    const { page, send } = await open();
    await page.context().setOffline(true);
    const turn = await send(PROMPT);
    await reach(turn, 'failed');

    await turn.getByText('Raw events').click();
    await turn.getByText(/^POST \/, \d+ B$/).click();

    const sent = JSON.parse((await turn.locator('.reads .read').textContent()) ?? '');
    expect(sent).toMatchObject({ agentId: 'onboarding', prompt: PROMPT });
    expect(await turn.locator('.reads li').count()).toBe(1);
  });
});
