import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { LOCAL_AGENT_IDS } from '../local/agents/agents.ts';
import { type DataPlaneFault, FAULTS } from '../local/faults/data-plane-faults.ts';
import { type OpenPage, PHONE, reach, startPlayground } from './browser/page.ts';

/**
 * `npm run screenshots -- [folder [scene]]`: pictures of the page in each of its states, on a desktop and a phone,
 * light and dark, for a person to look at. Without a folder they go to a new temporary one, whose name is printed.
 */

/** A state of the page. */
interface Scene {
  /** What the data plane does to every request meanwhile. */
  fault?: DataPlaneFault;
  /** Brings a fresh page into the state. */
  play(opened: OpenPage): Promise<void>;
}

const PROMPT = 'A static website with its own domain';

/** A state that an answer to the usual prompt comes to by itself. */
const until = (state: string, fault?: DataPlaneFault): Scene => ({
  ...(fault && { fault }),
  play: async ({ send }) => reach(await send(PROMPT), state),
});

const SCENES: Record<string, Scene> = {
  welcome: { play: async () => {} },
  waiting: {
    fault: FAULTS.slowUpgrade(12_000),
    play: async ({ page, send }) => {
      await send(PROMPT);
      await page.waitForTimeout(4500);
    },
  },
  thinking: until('thinking', FAULTS.slowUpgrade(12_000)),
  streaming: {
    play: async ({ send }) => (await send(PROMPT)).locator('.answer table').waitFor(),
  },
  complete: until('complete'),
  structured: {
    play: async ({ page, send }) => {
      await page.locator('#agent').selectOption('provisioning');
      await reach(await send('orders-api in us-east-1'), 'complete');
    },
  },
  'tool-running': {
    play: async ({ page, send }) => {
      await page.locator('#agent').selectOption('tools');
      const turn = await send('What is 12.5 * 48?');
      await turn.locator('.tool').waitFor();
    },
  },
  tool: {
    play: async ({ page, send }) => {
      await page.locator('#agent').selectOption('tools');
      const turn = await send('What is 12.5 * 48?');
      await reach(turn, 'complete');
      await turn.locator('.thought > summary').click();
    },
  },
  question: {
    play: async ({ page, send }) => {
      await page.locator('#agent').selectOption('tools');
      await reach(await send('delete old-backups'), 'asking');
    },
  },
  replied: {
    play: async ({ page, send }) => {
      await page.locator('#agent').selectOption('tools');
      const turn = await send('delete site-logs');
      await turn.getByRole('button', { name: 'Approve' }).click();
      await reach(page.locator('.turn').nth(1), 'complete');
    },
  },
  stopped: {
    play: async ({ page, send }) => {
      const turn = await send(PROMPT);
      await turn.locator('.answer h4').first().waitFor();
      await page.locator('#stop').click();
      await reach(turn, 'stopped');
    },
  },
  failed: until(
    'failed',
    FAULTS.refuse(429, 'ThrottlingException', 'Rate exceeded', { headers: { 'retry-after': '9' } }),
  ),
  interrupted: until('interrupted', FAULTS.dropAfter(40)),
  switched: {
    play: async ({ page, send }) => {
      await reach(await send(PROMPT), 'complete');
      await page.locator('#agent').selectOption('provisioning');
    },
  },
  'raw-events': {
    play: async ({ page, send }) => {
      await reach(await send(PROMPT), 'complete');
      await page.getByText('Raw events').click();
    },
  },
  figures: {
    play: async ({ page, send }) => {
      await reach(await send(PROMPT), 'complete');
      await page.locator('.metrics-toggle').click();
    },
  },
};

const DEVICES: Record<string, BrowserContextOptions> = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { ...PHONE, deviceScaleFactor: 2 },
};

const [named, only] = process.argv.slice(2);
const folder = named === undefined ? await mkdtemp(join(tmpdir(), 'screenshots-')) : resolve(named);
await mkdir(folder, { recursive: true });
const playground = await startPlayground({
  agents: { only: LOCAL_AGENT_IDS, tokenDelayMs: 30 },
  // Those whose page has gone stay busy for a while.
  runtime: { maxEnvironments: 24 },
  environment: { COMMIT_AFTER_MS: '6000' },
});

/** One scene on one device. */
async function shoot(file: string, { play }: Scene, options: BrowserContextOptions): Promise<void> {
  const opened = await playground.open(options);
  await play(opened);
  // What has just changed is drawn, and what scrolls has arrived.
  await opened.page.waitForTimeout(400);
  await opened.page.screenshot({ path: join(folder, file) });
  await opened.context.close();
}

try {
  for (const [name, scene] of Object.entries(SCENES)) {
    if (only !== undefined && only !== name) continue;
    for (const { runtimeArn } of playground.system.agents) {
      playground.system.dataPlane.fault(runtimeArn, scene.fault);
    }
    const shots = Object.entries(DEVICES).flatMap(([device, options]) =>
      (['light', 'dark'] as const).map((colorScheme) =>
        shoot(`${name}-${device}-${colorScheme}.png`, scene, { ...options, colorScheme }),
      ),
    );
    await Promise.all(shots);
  }
  console.log(folder);
} finally {
  await playground.close();
}
