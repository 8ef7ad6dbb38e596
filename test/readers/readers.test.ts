import { afterAll, beforeAll } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { type Site, startSite } from '../browser/support.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { describeReaders } from '../fixtures/reader-suite.ts';
import { HEAVY, readInNode, readInPage } from '../fixtures/readers.ts';

let browser: Browser;
let site: Site;

beforeAll(async () => {
  [browser, site] = await Promise.all([launchBrowser(), startSite()]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

describeReaders('Node.js', [...HEAVY], () => readInNode(import.meta.dirname));

describeReaders('Chromium', [...HEAVY], async () => {
  const page = await browser.newPage();
  await page.goto(site.origin);
  return readInPage(page, import.meta.dirname);
});
