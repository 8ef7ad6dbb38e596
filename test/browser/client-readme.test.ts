import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { type System, startSystem } from '../../local/system.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { codeBlocksOf } from '../fixtures/code-blocks.ts';

const client = join(import.meta.dirname, '../../client');
const HTML = `<!doctype html><title>A page</title><pre id="answer"></pre><button id="stop">Stop</button>
<script type="module" src="page.js"></script>`;
const EXAMPLE_URL = "'http://127.0.0.1:3000'";

let browser: Browser;
let system: System;
let site: Server;
/** The README's example as the page has it. */
let script = '';
/** The project's README's page. */
let html = '';

beforeAll(async () => {
  // As the command in the README does.
  const { outputFiles } = await build({
    entryPoints: [join(client, 'stream-agent.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  [browser, system] = await Promise.all([launchBrowser(), startSystem({ agents: { tokenDelayMs: 15 } })]);
  site = createServer(({ url = '/' }, response) => {
    const pages: Record<string, string | undefined> = { '/': HTML, '/page': html };
    const [type, body] =
      url in pages
        ? ['text/html', pages[url]]
        : ['text/javascript', url === '/page.js' ? script : outputFiles[0]?.text];
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(body);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await browser?.close();
  await system?.close();
  site?.close();
});

let page: Page;
let complaints: string[];

beforeEach(async () => {
  complaints = [];
  page = await browser.newPage();
  page.on('pageerror', ({ message }) => complaints.push(message));
});
afterEach(() => page.close());

/** Opens the example with the local system's URL, written as given. */
async function openExample(url: string): Promise<void> {
  const [example] = codeBlocksOf(join(client, 'README.md'));
  script = example?.code.replace(EXAMPLE_URL, `'${url}'`) ?? '';
  expect(script).toContain(`'${url}'`);
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
}

const shows = (text: string) =>
  page.waitForFunction((wanted) => document.querySelector('#answer')?.textContent?.includes(wanted), text);

test.each(['', '/'])(
  'the example in plain JavaScript has two turns, with "%s" behind the URL',
  async (slash) => {
    await openExample(`${system.url}${slash}`);

    await shows('Ask the ProvisioningAgent to deploy this for "the same with a queue".');

    const text = await page.locator('#answer').textContent();
    expect(text).toMatch(/^# Architecture for "a static website"/);
    expect(text).toContain('Earlier in this session you asked for: "a static website".');
    expect(complaints).toEqual([]);
  },
);

test('the example in plain JavaScript can be stopped', async () => {
  await openExample(system.url);
  await shows('Architecture');

  await page.locator('#stop').click();

  await shows(' (stopped)');
  expect(complaints).toEqual([]);
});

test('the example in plain JavaScript shows a failure', async () => {
  const nobody = 'http://127.0.0.1:9';
  await openExample(nobody);

  await shows(' (NetworkError: no answer from the server)');
  expect(complaints).toEqual([]);
});

describe('the minimal page of the project', () => {
  const openPage = async (change: (html: string) => string) => {
    const [example] = codeBlocksOf(join(client, '../README.md')).filter(
      ({ language }) => language === 'html',
    );
    html = `<!doctype html>${change(example?.code ?? '').replace('./stream-agent.js', './client.js')}`;
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/page`);
  };

  test('shows the answer', async () => {
    await openPage((page) => page.replace(EXAMPLE_URL, `'${system.url}'`));

    await shows('Ask the ProvisioningAgent to deploy this for "a static website".');
    expect(complaints).toEqual([]);
  });

  test.each([
    [
      'of the client',
      (page: string) => page.replace(EXAMPLE_URL, "'http://127.0.0.1:9'"),
      'NetworkError: no answer',
    ],
    [
      'of any other kind',
      (page: string) =>
        page.replace(EXAMPLE_URL, `'${system.url}'`).replace('event.text', 'event.text.odd.odd'),
      'TypeError: Cannot read properties of undefined',
    ],
  ])('names an error %s', async (_kind, change, shown) => {
    await openPage(change);

    await shows(shown);
    expect(await page.locator('#answer').textContent()).not.toContain('undefined:');
  });
});
