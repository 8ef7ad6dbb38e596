import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { type OpenPage, reach, startPlayground } from './browser/page.ts';
import { type Frame, gifOf } from './gif.ts';

/**
 * `npm run record -- [file]`: plays two turns on the page in a real Chromium and writes what was to be seen as a GIF, by
 * default to docs/playground.gif, which the README shows.
 */

const [file = join(import.meta.dirname, '../docs/playground.gif')] = process.argv.slice(2);
const SIZE = { width: 900, height: 600 };
/** Between two pictures at least. */
const INTERVAL_MS = 90;
/** GitHub and package registries show a picture of this size without delay. */
const MAX_BYTES = 1_000_000;

/** Types as a person does, and sends. */
async function ask({ page }: OpenPage, agent: string, prompt: string): Promise<void> {
  const turns = await page.locator('.turn').count();
  await page.locator('#agent').selectOption(agent);
  await page.waitForTimeout(700);
  await page.locator('#prompt').pressSequentially(prompt, { delay: 35 });
  await page.waitForTimeout(300);
  await page.locator('#prompt').press('Enter');
  await reach(page.locator('.turn').nth(turns), 'complete');
}

async function play(opened: OpenPage): Promise<void> {
  await ask(opened, 'tools', 'What is 12.5 * 48?');
  await opened.page.waitForTimeout(2000);
  await ask(opened, 'onboarding', 'A static website with its own domain');
}

/** Takes pictures until the scene is over, and one after it. */
async function film(page: Page, scene: Promise<void>): Promise<Frame[]> {
  const frames: Frame[] = [];
  let over = false;
  const end = scene.finally(() => {
    over = true;
  });
  const shoot = async () => {
    const at = performance.now();
    frames.push({ png: await page.screenshot(), at });
    return at + INTERVAL_MS;
  };
  while (!over) await page.waitForTimeout(Math.max(0, (await shoot()) - performance.now()));
  await end;
  await shoot();
  return frames;
}

const playground = await startPlayground({ agents: { only: ['onboarding', 'tools'], tokenDelayMs: 40 } });
try {
  const opened = await playground.open({ viewport: SIZE, colorScheme: 'light' });
  const gif = gifOf(await film(opened.page, play(opened)));
  if (gif.length > MAX_BYTES)
    throw new Error(`expected at most ${MAX_BYTES} bytes, the GIF has ${gif.length}`);
  await writeFile(resolve(file), gif);
  console.log(`${file}: ${gif.length} bytes`);
} finally {
  await playground.close();
}
