import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../fixtures/browser.ts';
import { codeBlocksOf } from '../fixtures/code-blocks.ts';
import { script } from '../fixtures/puppet-agent.ts';
import { type BuiltExample, buildExample } from './built-example.ts';
import { DONE, type KitSystem, say, startKitSystem } from './kit-system.ts';

const README = join(import.meta.dirname, '../../README.md');
const EXAMPLE_URL = 'http://127.0.0.1:3000/';

let browser: Browser;
let kits: KitSystem;
let built: BuiltExample;
let server: ChildProcess;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  [browser, kits] = await Promise.all([launchBrowser(), startKitSystem()]);
  const app = codeBlocksOf(README).find(({ language }) => language === 'tsx')?.code ?? '';
  expect(app).toContain(EXAMPLE_URL);
  const files = { 'src/app.tsx': app.replace(EXAMPLE_URL, `${kits.system.url}/`) };
  built = await buildExample('use-chat', kits.system.url, { files });
  server = spawn(process.execPath, [join(import.meta.dirname, 'serve-example.ts'), built.folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: server.stdout as NodeJS.ReadableStream }), 'line');
  page = await browser.newPage();
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(String(line).replace('ready ', ''));
}, 120_000);
afterAll(async () => {
  if (server?.exitCode === null) {
    server.kill();
    await once(server, 'exit');
  }
  await built?.remove();
  await browser?.close();
  await kits?.close();
});

async function ask(prompt: string): Promise<void> {
  const box = page.getByRole('textbox', { name: 'Prompt' });
  await box.fill(prompt);
  await box.press('Enter');
  await page.waitForFunction(() => document.querySelector('input')?.value === '');
}

test('the README’s component is well typed, streams two turns of a session, and shows an error', async () => {
  const answers = page.locator('[data-role=assistant]');

  await ask(script(say('one '), say('two'), DONE));
  await answers.filter({ hasText: 'one two' }).waitFor();
  await ask(script(say('half'), { drop: true }));
  await page
    .getByRole('alert')
    .filter({ hasText: /connection to the agent was lost/ })
    .waitFor();

  expect(await answers.allInnerTexts()).toEqual(['one two', 'half']);
  const [first, second] = kits.puppet.prompts.map(({ sessionId }) => sessionId);
  expect(second).toBe(first);
  expect(complaints).toEqual([]);
});
