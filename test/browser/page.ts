import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { createLiveMetrics } from '../../local/playground/live-metrics.ts';
import { playgroundHandler } from '../../local/playground/server.ts';
import { type System, type SystemOptions, startSystem } from '../../local/system.ts';
import { launchBrowser } from '../fixtures/browser.ts';

/** The playground of a local system, as `npm start` serves it, in a real browser. */
export interface Playground {
  system: System;
  /** Opens the page; resolves when it has its agents. */
  open(options?: BrowserContextOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

/** The page, and what a person does with it. */
export interface OpenPage {
  page: Page;
  context: BrowserContext;
  /** What the page complained about; nothing, unless a test provokes it. */
  complaints: string[];
  /** Writes a prompt and presses Enter; resolves with its turn. */
  send(prompt: string): Promise<Locator>;
}

/** A phone, as wide as most are. */
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
};

export async function startPlayground(options: SystemOptions = {}): Promise<Playground> {
  let started: System | undefined;
  const metrics = createLiveMetrics({ environments: () => started?.runtime.environments ?? [] });
  const playground = playgroundHandler({ keepsSessions: options.sessions === true });
  const [browser, system]: [Browser, System] = await Promise.all([
    launchBrowser(),
    startSystem({
      agents: { tokenDelayMs: 15 },
      functionUrl: {
        page: (request, response) => metrics.handler(request, response) || playground(request, response),
      },
      onLog: metrics.onLog,
      ...options,
      // A fault is for the next upgrade; a connection that is used again has none.
      environment: { POOL_MAX_CONNECTIONS: '0', MAX_RETRIES: '0', ...options.environment },
    }),
  ]);
  started = system;
  return {
    system,
    async open(contextOptions) {
      const context = await browser.newContext(contextOptions);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', ({ message }) => complaints.push(message));
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      await page.goto(system.url);
      await page.locator('#agent:enabled').waitFor();
      return { page, context, complaints, send: (prompt) => send(page, prompt) };
    },
    async close() {
      await browser.close();
      metrics.close();
      await system.close();
    },
  };
}

async function send(page: Page, prompt: string): Promise<Locator> {
  const turns = await page.locator('.turn').count();
  await page.locator('#prompt').fill(prompt);
  await page.locator('#prompt').press('Enter');
  const turn = page.locator('.turn').nth(turns);
  await turn.waitFor();
  return turn;
}

/** Resolves when a turn is in the state. */
export async function reach(turn: Locator, state: string): Promise<void> {
  await turn.and(turn.page().locator(`[data-state="${state}"]`)).waitFor();
}

export const answerOf = (turn: Locator): Locator => turn.locator('.answer');

/** Text as a person sees it, with its line breaks. */
export function shown(element: Locator): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: what is laid out is what is tested
  return element.innerText();
}

/** The runtime ARN of an agent of the local system. */
export function arnOf(system: System, id: string): string {
  const agent = system.agents.find((candidate) => candidate.id === id);
  if (!agent) throw new Error(`expected an agent "${id}", there is none`);
  return agent.runtimeArn;
}

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Where an element is in the window. */
export async function boxOf(element: Locator): Promise<Box> {
  const { x, y, width, height } = (await element.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  return { left: x, right: x + width, top: y, bottom: y + height };
}

/** How much of what is in an element lies outside it, sideways. */
export const overflowOf = (element: Locator): Promise<number> =>
  element.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);

/** Frames in which a page that scrolls has moved: on a busy machine one takes longer than any time that would be waited. */
const FRAMES = 6;

/** Waits until nothing scrolls any more. */
export async function expectStill(element: Locator): Promise<void> {
  for (let before = Number.NaN; ; ) {
    const { top } = await boxOf(element);
    if (top === before) return;
    before = top;
    await element.page().evaluate(
      (frames) =>
        new Promise<void>((resolve) => {
          let left = frames;
          const next = () => {
            left -= 1;
            if (left < 0) resolve();
            else requestAnimationFrame(next);
          };
          next();
        }),
      FRAMES,
    );
  }
}
