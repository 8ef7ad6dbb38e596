import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import type { System } from '../../local/system.ts';
import { until } from '../fixtures/sse.ts';
import { answerOf, arnOf, type Playground, reach, shown, startPlayground } from './page.ts';

const PROMPT = 'a static website';
const LAST_LINE = `Ask the ProvisioningAgent to deploy this for "${PROMPT}".`;

let playground: Playground;
let system: System;
let context: BrowserContext;
let page: Page;
let complaints: string[];
let send: (prompt: string) => Promise<Locator>;

beforeAll(async () => {
  playground = await startPlayground();
  ({ system } = playground);
});
afterAll(() => playground?.close());
beforeEach(async () => {
  ({ page, context, complaints, send } = await playground.open());
});
afterEach(() => context.close());

describe('a prompt', () => {
  test('is answered by text that grows before the answer has ended', async () => {
    const turn = await send(PROMPT);

    const lengths: number[] = [];
    await reach(turn, 'streaming');
    for (let look = 0; look < 4; look += 1) {
      lengths.push((await shown(answerOf(turn))).length);
      await page.waitForTimeout(150);
    }
    const state = await turn.getAttribute('data-state');
    await reach(turn, 'complete');

    expect(state).toBe('streaming');
    expect(lengths).toEqual([...new Set(lengths)].sort((a, b) => a - b));
    expect(await shown(answerOf(turn))).toContain(LAST_LINE);
    expect(await shown(turn.locator('.facts'))).toMatch(/^first text after \d/);
    expect(complaints).toEqual([]);
  });

  test('is answered in Markdown, with the template as a block of code', async () => {
    const turn = await send(PROMPT);
    await reach(turn, 'complete');

    expect(await turn.getByRole('heading', { name: 'Cost estimate' }).count()).toBe(1);
    expect(await turn.getByRole('cell', { name: '$0.12' }).count()).toBe(1);
    const template = await shown(turn.locator('.template code'));
    expect(template).toMatch(/^AWSTemplateFormatVersion: '2010-09-09'\n/);
    expect(template).toContain('    Type: AWS::S3::Bucket\n');
    expect(await shown(answerOf(turn))).not.toContain('cfn>');
  });

  test('goes to the agent that was chosen', async () => {
    await page.locator('#agent').selectOption('provisioning');

    const turn = await send(PROMPT);
    await reach(turn, 'complete');

    expect(await turn.getByRole('heading', { name: 'ProvisioningAgent' }).count()).toBe(1);
    expect(await shown(answerOf(turn))).toContain(`The stack for "${PROMPT}" is complete.`);
  });

  test('of several lines is written with Shift and Enter, and shown as it was written', async () => {
    await page.locator('#prompt').fill('one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');

    expect(await shown(page.locator('.turn .prompt'))).toBe('one\ntwo');
    expect(await page.locator('#prompt').inputValue()).toBe('');
  });

  test('shows the raw events on demand', async () => {
    const turn = await send(PROMPT);
    await reach(turn, 'complete');

    await turn.getByText('Raw events').click();

    const raw = await shown(turn.locator('.reads'));
    expect(raw).toContain('HTTP 200');
    expect(raw).toContain('data: {"start":true');
    expect(raw).toContain('data: {"done":true');
  });
});

describe('stopping', () => {
  test.each([
    ['the button', () => page.getByRole('button', { name: 'Stop' }).click()],
    ['Escape', () => page.keyboard.press('Escape')],
  ])('with %s keeps the text so far, and the page goes on', async (_, stop) => {
    const turn = await send(PROMPT);
    await reach(turn, 'streaming');
    await stop();
    await reach(turn, 'stopped');

    const text = await shown(answerOf(turn));
    await page.waitForTimeout(300);
    const next = await send('a queue');
    await reach(next, 'complete');

    expect(await shown(answerOf(turn))).toBe(text);
    expect(text).not.toContain(LAST_LINE);
    expect(await shown(answerOf(next))).toContain('Architecture for "a queue"');
    expect(complaints).toEqual([]);
  });

  test('offers to ask what the agent did, which may go on working', async () => {
    const turn = await send(PROMPT);
    await reach(turn, 'streaming');
    await page.keyboard.press('Escape');
    await reach(turn, 'stopped');

    await turn.getByRole('button', { name: 'Ask what it did' }).click();

    expect(await page.locator('#prompt').inputValue()).toBe('What did you do with my last request?');
  });
});

describe('a session', () => {
  test('is remembered in the second turn, and forgotten in a new one', async () => {
    const turns: Locator[] = [];
    turns.push(await send('canary-1414'));
    await reach(turns[0] as Locator, 'complete');
    const session = await page.locator('#session').getAttribute('data-session');
    turns.push(await send('a queue'));
    await reach(turns[1] as Locator, 'complete');
    await page.getByRole('button', { name: 'New session' }).click();
    turns.push(await send('a topic'));
    await reach(turns[2] as Locator, 'complete');

    const [, second = '', third = ''] = await Promise.all(turns.map((turn) => shown(answerOf(turn))));
    expect(second).toContain('Earlier in this session you asked for: "canary-1414"');
    expect(third).not.toContain('Earlier in this session');
    expect(await page.locator('#session').getAttribute('data-session')).not.toBe(session);
  });
});

describe('a failure', () => {
  test('before any text is said in words, with its code, and tried again on request', async () => {
    system.dataPlane.fault(arnOf(system, 'onboarding'), FAULTS.refuse(503), 1);
    const turn = await send(PROMPT);
    await reach(turn, 'failed');
    const words = await shown(turn.locator('.problem'));
    await turn.getByRole('button', { name: 'Try again' }).click();
    const again = page.locator('.turn').nth(1);
    await reach(again, 'complete');

    expect(words).toContain('AgentUnavailable');
    expect(words).toContain('The agent did not get your prompt');
    expect(await shown(again.locator('.prompt'))).toBe(PROMPT);
  });

  test('after some text leaves that in place and says that the agent may have acted', async () => {
    system.dataPlane.fault(arnOf(system, 'onboarding'), FAULTS.dropAfter(8), 1);

    const turn = await send(PROMPT);
    await reach(turn, 'interrupted');

    const words = await shown(turn.locator('.problem'));
    expect(await shown(answerOf(turn))).toContain('Architecture for "a static website"');
    expect(words).toContain('AgentInterrupted');
    expect(words).toContain('may have acted');
    expect(await turn.getByRole('button', { name: 'Try again' }).count()).toBe(0);
    expect(await page.locator('#send').isVisible()).toBe(true);
  });

  test('of the whole server is one too', async () => {
    await context.setOffline(true);

    const turn = await send(PROMPT);
    await reach(turn, 'failed');

    expect(await shown(turn.locator('.problem'))).toContain('NetworkError');
  });
});

test('markup of an agent is shown as text: nothing of it runs, loads or gets lost', async () => {
  const prompt = `<img src=x onerror="document.title='owned'"> <script>document.title='owned'</script> <bucket-name> <b>&amp;</b>`;

  const turn = await send(prompt);
  await reach(turn, 'complete');

  const text = await shown(answerOf(turn));
  expect(text).toContain(`onerror="document.title='owned'"`);
  expect(text).toContain('<bucket-name>');
  expect(await answerOf(turn).locator('img, script, b').count()).toBe(0);
  expect(await page.title()).toBe('agentcore-stream');
  expect(complaints).toEqual([]);
});

test('an answer of 2 MB does not make the page hang', async () => {
  const turn = await send('repeat 2000000 bytes');
  await reach(turn, 'complete');

  expect((await shown(answerOf(turn))).length).toBeGreaterThan(1_990_000);
  expect(await shown(turn.locator('.facts'))).toContain('2.0 MB');
});

test('the figures of the service follow what was asked', async () => {
  const toggle = page.locator('.metrics-toggle');
  await toggle.waitFor();
  const requestsShown = async () => Number.parseInt(await shown(toggle), 10);
  const before = await requestsShown();

  const turn = await send(PROMPT);
  await reach(turn, 'complete');
  await page.waitForFunction(
    ([element, before]) => Number.parseInt(element?.textContent ?? '', 10) > before,
    [await toggle.elementHandle(), before] as const,
  );
  await toggle.click();

  expect(await requestsShown()).toBe(before + 1);
  expect(await shown(page.locator('.metrics-panel'))).toContain('OnboardingAgent');
});

test('fits a phone without scrolling sideways', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const turn = await send(PROMPT);
  await reach(turn, 'complete');
  await turn.getByText('Raw events').click();

  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

  expect(sideways).toBe(0);
});

test('a page that is left leaves no environment busy', async () => {
  const turn = await send(PROMPT);
  await reach(turn, 'streaming');
  await page.close();

  await until(
    () => system.runtime.environments.every(({ state }) => state === 'idle'),
    'every environment is idle',
    10_000,
  );
});
