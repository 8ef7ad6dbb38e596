import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import {
  answerOf,
  type OpenPage,
  overflowOf,
  PHONE,
  type Playground,
  reach,
  shown,
  startPlayground,
} from './page.ts';

/** What an agent does beside its text, shown by the page: with the agent of a real framework. */
let playground: Playground;
let opened: OpenPage;

beforeAll(async () => {
  playground = await startPlayground({ agents: { only: ['tools'], tokenDelayMs: 5 } });
});
afterAll(() => playground?.close());
afterEach(async () => {
  expect(opened.complaints).toEqual([]);
  await opened.context.close();
});

/** Every state that a tool's card goes through, with what it shows of the input in it. */
async function watchTools(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const card = document.querySelector<HTMLElement>('.tool');
      const note = card && `${card.dataset.state} ${card.querySelector('pre')?.textContent}`;
      if (note && note !== seen.at(-1)) seen.push(note);
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  return () => page.evaluate(() => (window as unknown as { seen: string[] }).seen);
}

test('a tool call is a card whose input fills in live, and whose output follows', async () => {
  opened = await playground.open();
  const { page, send } = opened;
  const seen = await watchTools(page);

  const turn = await send('what is 12 * 7?');
  await reach(turn, 'complete');

  const states = (await seen()).map((note) => note.split(' ', 1)[0]);
  expect([...new Set(states)]).toEqual(['calling', 'running', 'done']);
  expect(states.filter((state) => state === 'calling').length).toBeGreaterThan(2);
  const card = turn.locator('.tool');
  expect(await card.locator('summary').textContent()).toBe('calculator done');
  expect(JSON.parse(await shown(card.locator('pre').nth(0)))).toEqual({ left: 12, operator: '*', right: 7 });
  expect(JSON.parse(await shown(card.locator('pre').nth(1)))).toEqual({ result: 84 });
});

test('parts stand in the order in which they came, with reasoning folded and tokens counted', async () => {
  opened = await playground.open();

  const turn = await opened.send('what is 12 * 7?');
  await reach(turn, 'complete');

  const parts = await answerOf(turn).evaluate((answer) =>
    [...answer.children].map(({ className }) => className),
  );
  expect(parts).toEqual(['thought', 'text', 'tool', 'text']);
  expect(await turn.locator('.thought p').isVisible()).toBe(false);
  await turn.locator('.thought summary').click();
  expect(await shown(turn.locator('.thought p'))).toBe('There is a calculation in it: I calculate.');
  expect(await shown(turn.locator('.facts'))).toMatch(/ · \d+ tokens in, \d+ out$/);
});

test.each([
  ['Approve', 'Delete the bucket "site-logs" for good?', 'delete site-logs', '"deleted": true'],
  ['Decline', 'Delete the bucket "site-content" for good?', 'delete site-content', '"deleted": false'],
])('a question has buttons that answer it, once: %s', async (button, question, prompt, outcome) => {
  opened = await playground.open(PHONE);
  const { page, send } = opened;

  const turn = await send(prompt);
  await reach(turn, 'asking');
  const asked = await shown(turn.locator('.question p'));
  await turn.getByRole('button', { name: button }).click();
  const reply = page.locator('.turn').nth(1);
  await reach(reply, 'complete');

  expect(asked).toBe(question);
  expect(await shown(reply.locator('.prompt'))).toBe(button);
  expect(await reply.locator('.tool summary').textContent()).toBe('delete_bucket done');
  expect(await shown(reply.locator('.tool pre').last())).toContain(outcome);
  expect(await turn.locator('.question button').first().isDisabled()).toBe(true);
  expect(await overflowOf(page.locator('#scroller'))).toBe(0);
});
