import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Site, startSite } from '../browser/support.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { script } from '../fixtures/puppet-agent.ts';
import { until } from '../fixtures/sse.ts';
import { describeReaders, startReaderWorld } from './reader-suite.ts';
import { READERS, readInPage } from './readers.ts';

let browser: Browser;
let site: Site;

beforeAll(async () => {
  [browser, site] = await Promise.all([launchBrowser(), startSite()]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function openPage(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(site.origin);
  return page;
}

describeReaders('Chromium', READERS, async () => readInPage(await openPage()));

test.each([
  ['asks once', false],
  ['asks again, without the line that docs/readers.md has against it', true],
])('fetch-event-source in a tab that is hidden and shown %s', async (_what, unsafe) => {
  const page = await openPage();
  const world = await startReaderWorld(readInPage(page));
  const prompt = script({ send: 'one ' }, { sleepMs: 1500 }, { send: 'two' }, { send: '[DONE]' });

  const { outcome, asked } = world.ask('fetch-event-source', prompt, { unsafe });
  await until(() => world.puppet.prompts.length > 0, 'the prompt is there');
  await page.evaluate(() => {
    let hidden = true;
    Object.defineProperty(document, 'hidden', { get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange'));
    hidden = false;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await outcome;
  await world.close();

  expect(asked() > 1).toBe(unsafe);
});
