import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../fixtures/browser.ts';
import { script } from '../fixtures/puppet-agent.ts';
import { type BuildOptions, type BuiltExample, buildExample } from './built-example.ts';
import { faultsOfRequest } from './described.ts';
import { DONE, type KitSystem, STRANDS_ANSWER, say, startKitSystem } from './kit-system.ts';

interface Kit extends BuildOptions {
  example: string;
  /** What a person uses of the page. */
  prompt(page: Page): Locator;
  send(page: Page): Locator;
  stop(page: Page): Locator;
  answers(page: Page): Locator;
  error(page: Page): Locator;
  /** How the call `add({a: 1, b: 2})` with its result 3 is shown. */
  result: RegExp;
  /** Asks for suggestions beside what a person asks. */
  suggests?: true;
}

/** Of the pages that are made of plain elements. */
const PLAIN = {
  prompt: (page: Page) => page.getByRole('textbox', { name: 'Prompt' }),
  send: (page: Page) => page.getByRole('button', { name: 'Send' }),
  stop: (page: Page) => page.getByRole('button', { name: 'Stop' }),
  answers: (page: Page) => page.locator('[data-role=assistant]'),
  error: (page: Page) => page.getByRole('alert'),
  result: /add \{"a":1,"b":2\} → .*3/,
};

/** CopilotKit asks for suggestions after each answer. */
const SUGGESTIONS = `
import { useConfigureSuggestions } from '@copilotkit/react-core/v2';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';

function Suggestions() {
  useConfigureSuggestions({ instructions: 'Suggest what to ask next', available: 'always' });
  return null;
}
createRoot(document.getElementById('root') as HTMLElement).render(<App><Suggestions /></App>);
`;

const KITS: Record<string, Kit> = {
  useChat: { example: 'use-chat', ...PLAIN },
  'assistant-ui over the AI SDK': { example: 'assistant-ui', ...PLAIN },
  'assistant-ui over AG-UI': { example: 'assistant-ui', mode: 'ag-ui', ...PLAIN },
  CopilotKit: {
    example: 'copilotkit',
    files: { 'src/main.tsx': SUGGESTIONS },
    prompt: (page) => page.getByTestId('copilot-chat-textarea'),
    send: (page) => page.getByTestId('copilot-send-button'),
    stop: (page) => page.getByTestId('copilot-send-button'),
    answers: (page) => page.getByTestId('copilot-assistant-message'),
    error: PLAIN.error,
    result: /add\s+complete/,
    suggests: true,
  },
  'no kit': { example: 'vanilla', ...PLAIN },
};

let kits: KitSystem;
let browser: Browser;

beforeAll(async () => {
  [browser, kits] = await Promise.all([launchBrowser(), startKitSystem()]);
});
afterAll(async () => {
  await browser?.close();
  await kits?.close();
});

describe.each(Object.entries(KITS))('%s', (_name, kit) => {
  let built: BuiltExample;
  let server: ChildProcess;
  let url: string;
  let page: Page;
  /** What the page and its console complain about. */
  let complaints: string[];

  beforeAll(async () => {
    const { system } = kits;
    built = await buildExample(kit.example, system.url, kit);
    server = spawn(process.execPath, [join(import.meta.dirname, 'serve-example.ts'), built.folder], {
      env: {
        ...process.env,
        AGENTS_URL: system.url,
        COPILOTKIT_TELEMETRY_DISABLED: 'true',
        NODE_ENV: 'production',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
    for await (const line of lines) {
      url = /^ready (.*)/.exec(line)?.[1] ?? '';
      if (url) break;
    }
  }, 120_000);
  afterAll(async () => {
    if (server?.exitCode === null) {
      server.kill();
      await once(server, 'exit');
    }
    await built?.remove();
  });
  beforeEach(async () => {
    kits.puppet.prompts.length = 0;
    complaints = [];
    page = await browser.newPage();
    page.setDefaultTimeout(8_000);
    page.on('console', (message) => {
      if (message.type() === 'warning' || message.type() === 'error') complaints.push(message.text());
    });
    page.on('request', (request) => {
      const [, kind] = /\/api\/agents\/onboarding\/(chat|ag-ui)$/.exec(request.url()) ?? [];
      const body = request.method() === 'POST' && request.postData();
      if (kind && body) complaints.push(...faultsOfRequest(`/api/agents/{agentId}/${kind}`, body));
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url);
  });
  afterEach(async () => {
    await page?.close();
  });

  async function ask(text: string): Promise<Locator> {
    await kit.prompt(page).fill(text);
    await kit.send(page).click();
    return kit.answers(page).last();
  }
  const seen = async (answer: Locator, text: string | RegExp) => {
    await answer.filter({ hasText: text }).waitFor();
  };
  const sessions = () => kits.puppet.prompts.map(({ sessionId }) => sessionId);

  test('does not mind a silence, and goes on in the session', async () => {
    await seen(await ask(script(say('one '), { sleepMs: 500 }, say('two'), DONE)), 'one two');
    await seen(await ask(script(say('three'), DONE)), 'three');

    expect(sessions()).toEqual([sessions()[0], sessions()[0]]);
    expect(complaints).toEqual([]);
  });

  test('shows thoughts, a tool with its result, and text', async () => {
    await ask(script(...STRANDS_ANSWER));
    await seen(kit.answers(page).last(), '3.');
    const text = (await textOf(page.locator('body'))).split(END_OF_SCRIPT).at(-1);

    expect(text).toMatch(/I should add\.[\s\S]*\badd\b[\s\S]*It is 3\./);
    expect(text).toMatch(kit.result);
    expect(complaints).toEqual([]);
  });

  test('shows text while the answer grows, can be stopped, and goes on in the session', async () => {
    await seen(await ask(script(say('one '), say('more'), { sleepMs: 60_000 }, DONE)), 'one more');
    await kit.stop(page).click();
    await seen(await ask(script(say('two'), DONE)), 'two');

    expect(sessions()).toEqual([sessions()[0], sessions()[0]]);
    expect(complaints).toEqual([]);
  });

  test('shows an error before the answer, and is of use after it', async () => {
    await ask(script({ send: '{"type":"error","message":"no model"}' }));
    await kit
      .error(page)
      .filter({ hasText: /the agent reported an error/i })
      .waitFor();
    await seen(await ask(script(say('better'), DONE)), 'better');

    expect(complaints.filter((text) => !LOGGED_ERROR.test(text))).toEqual([]);
  });

  test('shows an error within the answer, and keeps the text so far', async () => {
    const answer = await ask(script(say('half an answer'), { drop: true }));
    await kit
      .error(page)
      .filter({ hasText: /the connection to the agent was lost/i })
      .waitFor();

    expect(await textOf(answer)).toContain('half an answer');
    expect(complaints.filter((text) => !LOGGED_ERROR.test(text))).toEqual([]);
  });

  if (kit.suggests) {
    test('asks for suggestions, which no agent is asked for', async () => {
      const before = kits.runs();
      await seen(await ask(script(say('one'), DONE)), 'one');
      while (kits.runs() < before + 2) await new Promise((resolve) => setTimeout(resolve, 20));
      await page.waitForLoadState('networkidle');

      expect(sessions()).toHaveLength(1);
      expect(complaints).toEqual([]);
    });
  }
});

/** What a person sees of an element, with its line breaks. */
async function textOf(element: Locator): Promise<string> {
  return (await element.allInnerTexts()).join('\n');
}

/** What stands last in the user's own message, which is the script. */
const END_OF_SCRIPT = '{"close":1000}]';

/** Of an error that is shown, what the browser, AG-UI's client or CopilotKit writes to the console as well. */
const LOGGED_ERROR =
  /^(Failed to load resource: .* status of 502|Agent execution failed: Error: HTTP 502|\[CopilotKit\] Error \(agent_run)/;
