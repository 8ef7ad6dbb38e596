import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { BrowserContext, BrowserContextOptions } from 'playwright-core';
import { type OpenPage, type Playground, startPlayground } from './page.ts';

/** A playground for the tests of one file; what a test opens is closed after it. */
export function usePlayground(): Pick<Playground, 'open' | 'system'> {
  let playground: Playground;
  let contexts: BrowserContext[] = [];

  beforeAll(async () => {
    playground = await startPlayground();
  });
  afterAll(() => playground?.close());
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
  });

  return {
    get system() {
      return playground.system;
    },
    async open(options?: BrowserContextOptions): Promise<OpenPage> {
      const opened = await playground.open(options);
      contexts.push(opened.context);
      return opened;
    },
  };
}
