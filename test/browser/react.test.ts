import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { type System, startSystem } from '../../local/system.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { codeBlocksOf } from '../fixtures/code-blocks.ts';

const root = join(import.meta.dirname, '../..');
const HTML =
  '<!doctype html><title>A conversation</title><div id="root"></div><script type="module" src="page.js"></script>';

let browser: Browser;
let system: System;
let site: Server;
let page: Page;
let complaints: string[];

/** The README's component, with React itself, in its strict mode, which mounts everything twice. */
async function bundle(url: string): Promise<string> {
  const block = codeBlocksOf(join(root, 'client/README.md')).find(({ heading }) => heading === 'React');
  const main = `
    import { StrictMode } from 'react';
    import { createRoot } from 'react-dom/client';
    createRoot(document.querySelector('#root')).render(
      <StrictMode><Conversation url=${JSON.stringify(url)} /></StrictMode>,
    );`;
  const { outputFiles } = await build({
    stdin: { contents: `${block?.code}\n${main}`, resolveDir: root, loader: 'tsx' },
    alias: { 'agentcore-stream-client/react': './client/react.ts' },
    jsx: 'automatic',
    bundle: true,
    format: 'esm',
    write: false,
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  return outputFiles[0]?.text ?? '';
}

beforeAll(async () => {
  [browser, system] = await Promise.all([launchBrowser(), startSystem({ agents: { tokenDelayMs: 15 } })]);
  const script = await bundle(system.url);
  site = createServer(({ url }, response) => {
    const [type, body] = url === '/' ? ['text/html', HTML] : ['text/javascript', script];
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(body);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await browser?.close();
  await system?.close();
  site?.close();
});
beforeEach(async () => {
  complaints = [];
  page = await browser.newPage();
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/favicon/.test(message.location().url))
      complaints.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
});
afterEach(() => page.close());

const answer = () => page.locator('pre').textContent();

test('a component of the README shows an answer, and its second one in the same session', async () => {
  await page.fill('input', 'a static website');
  await page.click('text=Send');
  await page.waitForSelector('text=Stop');
  await page.waitForSelector('text=Send');
  const first = await answer();
  await page.fill('input', 'the same with a queue');
  await page.click('text=Send');
  await page.waitForSelector('text=Stop');
  await page.waitForSelector('text=Send');

  expect(first).toMatch(/static website/);
  expect(await answer()).toMatch(/queue/);
  const sessions = new Set(
    system.logs.flatMap(({ line }) => [...line.matchAll(/"session_id":"([^"]+)"/g)].map(([, id]) => id)),
  );
  expect(sessions.size).toBe(1);
  expect(complaints).toEqual([]);
});

test('an answer that is stopped keeps its text', async () => {
  await page.fill('input', 'a static website');
  await page.click('text=Send');
  await page.waitForFunction(() => (document.querySelector('pre')?.textContent ?? '').length > 20);
  await page.click('text=Stop');
  await page.waitForSelector('text=Send');

  expect((await answer())?.length).toBeGreaterThan(20);
  expect(complaints).toEqual([]);
});
