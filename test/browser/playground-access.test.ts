import { describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { PHONE, reach, shown } from './page.ts';
import { usePlayground } from './use-playground.ts';

const PROMPT = 'a static website';
const SCHEMES = ['light', 'dark'] as const;

const { open } = usePlayground();

describe('what can be pressed', () => {
  /** Each button, select and summary that is in sight, and how tall it is. */
  const heightsIn = (page: Page) =>
    page.locator('button:visible, select:visible, summary:visible').evaluateAll((targets) =>
      targets
        // In a line of text, which WCAG's criterion leaves out.
        .filter((target) => !target.matches('li .event'))
        .map((target): [string, number] => [
          target.id || target.textContent.slice(0, 20),
          target.getBoundingClientRect().height,
        ]),
    );

  test.each([
    ['a mouse', 24, {}],
    ['a finger', 44, PHONE],
  ] as const)('is as tall as %s needs', async (_, least, options) => {
    const { page, send } = await open(options);
    const heights = await heightsIn(page);
    const turn = await send(PROMPT);
    heights.push(...(await heightsIn(page)));
    await reach(turn, 'complete');
    await turn.getByText('Raw events').click();
    await page.locator('#scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
    await page.locator('#to-latest').waitFor();
    heights.push(...(await heightsIn(page)));
    await page.locator('.metrics-toggle').click();
    heights.push(...(await heightsIn(page)));

    expect(heights.map(([name]) => name)).toEqual(expect.arrayContaining(['stop', 'Raw events', 'Copy']));
    expect(heights.filter(([, height]) => height < least)).toEqual([]);
  });

  test.each(SCHEMES)('has a line around it in %s mode that can be seen', async (colorScheme) => {
    const { page } = await open({ ...PHONE, colorScheme });
    await page.locator('#prompt').blur();

    for (const control of ['#agent', '#new-session', '#composer', '.suggestion']) {
      const [line, behind] = await colorsOf(
        page.locator(control).first(),
        'borderTopColor',
        page.locator('body'),
      );
      expect({ control, isSeen: contrast(line, behind) >= 3 }).toEqual({ control, isSeen: true });
    }
  });

  test.each(SCHEMES)('can be seen in %s mode also when it cannot be pressed yet', async (colorScheme) => {
    const { page } = await open({ colorScheme });

    const send = page.locator('#send:disabled');
    const [line, behind] = await colorsOf(send, 'borderTopColor', page.locator('#composer'));

    expect(contrast(line, behind)).toBeGreaterThan(1.5);
  });

  test('to copy a block of code is there before a mouse is over it', async () => {
    const { page, send } = await open();
    const turn = await send(PROMPT);
    await reach(turn, 'complete');
    await page.mouse.move(0, 0);

    const opacity = await turn.locator('.copy').evaluate((copy) => Number(getComputedStyle(copy).opacity));

    expect(opacity).toBe(1);
  });
});

describe('the session id', () => {
  test('is copied by a button that says what it does, and whose success is announced', async () => {
    const { page } = await open();
    const button = page.locator('#session');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const session = (await button.getAttribute('data-session')) ?? '';
    const names = [await button.getAttribute('aria-label')];

    await button.click();
    await page.locator('#announcer', { hasText: /^Copied$/ }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole('button', { name: 'New session' }).click();
    const next = (await button.getAttribute('data-session')) ?? '';
    names.push(await button.getAttribute('aria-label'));

    expect(copied).toBe(session);
    expect(names).toEqual([session, next].map((id) => `Copy session id ${id.slice(0, 8)}`));
  });

  test('is shown in full and selected where it cannot be copied', async () => {
    const { page } = await open();
    const button = page.locator('#session');
    const session = await button.getAttribute('data-session');
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));

    await button.click();
    await page.locator('#notice code').waitFor();

    expect(await shown(page.locator('#notice'))).toBe(`The session id: ${session}`);
    expect(await page.evaluate(() => String(getSelection()))).toBe(session);
  });
});

test('the keys that are explained are those that do something', async () => {
  const { page, send } = await open();
  const keys = () => page.locator('.hint span:visible').allInnerTexts();

  const empty = await keys();
  await page.locator('#prompt').fill('a');
  const written = await keys();
  const turn = await send(PROMPT);
  const running = await keys();
  await reach(turn, 'complete');

  expect(empty).toEqual(['Shift Enter for a new line']);
  expect(written).toEqual(['Enter to send', 'Shift Enter for a new line']);
  expect(running).toEqual(['Shift Enter for a new line', 'Esc to stop']);
  expect(await keys()).toEqual(empty);
});

test("the state of an answer has its dot also where the colours are the system's", async () => {
  const { send } = await open({ forcedColors: 'active' });
  const turn = await send(PROMPT);
  await reach(turn, 'complete');

  const [dot, behind] = await colorsOf(
    turn.locator('.status'),
    'backgroundColor',
    turn.page().locator('body'),
    '::before',
  );

  expect(contrast(dot, behind)).toBeGreaterThan(3);
});

type Rgb = number[];

/** A colour of an element, and the background of what is behind it. */
async function colorsOf(
  element: Locator,
  property: 'borderTopColor' | 'backgroundColor',
  behind: Locator,
  pseudo?: '::before',
): Promise<[Rgb, Rgb]> {
  const one = await element.evaluate((node, [property, pseudo]) => getComputedStyle(node, pseudo)[property], [
    property,
    pseudo,
  ] as const);
  const other = await behind.evaluate((node) => getComputedStyle(node).backgroundColor);
  return element.page().evaluate(
    (colors) =>
      colors.map((color) => {
        const canvas = document.createElement('canvas').getContext('2d');
        if (!canvas) throw new Error('no canvas');
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
      }) as [Rgb, Rgb],
    [one, other],
  );
}

/** @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: Rgb, other: Rgb): number {
  const luminance = (rgb: Rgb) => {
    const [r = 0, g = 0, b = 0] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
