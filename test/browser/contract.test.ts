import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { AgentError, StreamAgentOptions, streamAgent } from '../../client/stream-agent.ts';
import { EXPOSED_HEADERS } from '../../lambda/contract.ts';
import { fillerText } from '../../local/agents/text.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { type PuppetAgent, type Step, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { splittingClient } from '../fixtures/splitting-client.ts';
import { newSessionId } from '../fixtures/sse.ts';
import { type Site, startSite } from './support.ts';

/** What the pages of {@link startSite} have. */
declare const client: { streamAgent: typeof streamAgent };

const onboardingArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/OnboardingAgent-a1B2c3D4e5';

let browser: Browser;
let puppet: PuppetAgent;
let allowed: Site;
let other: Site;
let system: System;
/** Methods of the requests to invoke that reached the Function URL. */
let methods: string[] = [];

beforeAll(async () => {
  [browser, puppet, allowed, other] = await Promise.all([
    launchBrowser(),
    startPuppetAgent(),
    startSite(),
    startSite(),
  ]);
  system = await startSystem({
    agents: { tokenDelayMs: 5 },
    replacedAgents: { provisioning: puppet.target },
    allowedOrigins: [allowed.origin],
    // A fault is for the next upgrade; a connection that is used again has none.
    environment: { POOL_MAX_CONNECTIONS: '0', MAX_RETRIES: '0', MAX_PROMPT_BYTES: '4000000' },
    functionUrl: {
      page: ({ method = '', url }) => {
        if (url === '/') methods.push(method);
        return false;
      },
    },
  });
});
afterAll(async () => {
  await browser?.close();
  await system?.close();
  await Promise.all([puppet?.close(), allowed?.close(), other?.close()]);
});
beforeEach(() => {
  methods = [];
});

async function onSite<Result>({ origin }: Site, use: (page: Page) => Promise<Result>): Promise<Result> {
  const page = await browser.newPage();
  try {
    await page.goto(origin);
    return await use(page);
  } finally {
    await page.close();
  }
}

interface Turn {
  text: string;
  types: string[];
  sessionId: string | undefined;
  error?: Pick<
    AgentError,
    'name' | 'code' | 'status' | 'partialText' | 'promptSent' | 'retryable' | 'details'
  >;
}

/** One answer, read by our client in the page. */
function ask(
  page: Page,
  options: Omit<StreamAgentOptions, 'signal' | 'fetch'>,
  url = `${system.url}/`,
): Promise<Turn> {
  return page.evaluate(
    async ({ url, options }) => {
      const turn: Turn = { text: '', types: [], sessionId: undefined };
      try {
        for await (const event of client.streamAgent(url, options)) {
          if (event.type !== turn.types.at(-1)) turn.types.push(event.type);
          if (event.type === 'chunk') turn.text += event.text;
          else if ('sessionId' in event) turn.sessionId = event.sessionId;
        }
      } catch (thrown) {
        const { name, code, status, partialText, promptSent, retryable, details } = thrown as AgentError;
        turn.error = { name, code, status, partialText, promptSent, retryable, details };
      }
      return turn;
    },
    { url, options },
  );
}

describe('a page on an allowed origin', () => {
  test('gets the answer, after a preflight', async () => {
    const sessionId = newSessionId();

    const turn = await onSite(allowed, (page) =>
      ask(page, { agentId: 'onboarding', prompt: 'a queue', sessionId }),
    );

    expect(methods).toEqual(['OPTIONS', 'POST']);
    expect(turn).toMatchObject({ types: ['start', 'chunk', 'done'], sessionId });
    expect(turn.text).toContain('# Architecture for "a queue"');
    expect(turn.text).toMatch(/Ask the ProvisioningAgent to deploy this for "a queue"\.\n$/);
  });

  test('reads the session id and every other exposed header', async () => {
    system.dataPlane.fault(onboardingArn, FAULTS.refuse(429, 'ThrottlingException'), 1);

    const headers = await onSite(allowed, (page) =>
      page.evaluate(async (url) => {
        const body = JSON.stringify({ agentId: 'onboarding', prompt: 'a queue' });
        const native = await fetch(url, { method: 'POST', body });
        // The kits' errors are plain text, with their code in headers.
        const kit = await fetch(`${url}api/agents/onboarding/chat`, { method: 'POST', body: '{}' });
        return Object.fromEntries([...kit.headers, ...native.headers]);
      }, `${system.url}/`),
    );

    for (const name of EXPOSED_HEADERS) expect(headers).toHaveProperty(name.toLowerCase());
    expect(headers['x-session-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('sends its prompt once to a server that redirects it', async () => {
    let posts = 0;
    const redirecting = createServer(({ method }, response) => {
      if (method === 'POST') posts += 1;
      const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*' };
      response.writeHead(method === 'POST' ? 307 : 204, { ...cors, Location: '/' }).end();
    });
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));

    const { port } = redirecting.address() as AddressInfo;
    const turn = await onSite(allowed, (page) =>
      ask(page, { agentId: 'onboarding', prompt: 'a queue' }, `http://127.0.0.1:${port}/`),
    );
    redirecting.closeAllConnections();
    redirecting.close();

    expect(posts).toBe(1);
    expect(turn.error).toMatchObject({ code: 'UnexpectedResponse', promptSent: false });
  });

  test('is answered in a new session where its session id is not valid', async () => {
    const turn = await onSite(allowed, (page) =>
      ask(page, { agentId: 'onboarding', prompt: 'a queue', sessionId: 'too short' }),
    );

    expect(turn.error).toBeUndefined();
    expect(turn.sessionId).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  });

  test('is remembered by the agent in the second turn of a session', async () => {
    const prompt = 'canary-2718';

    const second = await onSite(allowed, async (page) => {
      const { sessionId } = await ask(page, { agentId: 'onboarding', prompt });
      return ask(page, { agentId: 'onboarding', prompt: 'a queue', sessionId });
    });

    expect(second.text).toContain(`Earlier in this session you asked for: "${prompt}"`);
  });

  test('sees a failure before the first text as its status', async () => {
    const { error } = await onSite(allowed, (page) => ask(page, { agentId: 'nobody', prompt: 'a queue' }));

    expect(error).toMatchObject({
      name: 'AgentError',
      code: 'AgentNotFound',
      status: 404,
      partialText: '',
      promptSent: false,
    });
  });

  test('sees a failure after it in the stream, with the text so far', async () => {
    system.dataPlane.fault(onboardingArn, FAULTS.dropAfter(4), 1);

    const { text, types, error } = await onSite(allowed, (page) =>
      ask(page, { agentId: 'onboarding', prompt: 'a queue' }),
    );

    expect(types).toEqual(['start', 'chunk']);
    expect(error).toMatchObject({
      code: 'AgentInterrupted',
      status: 200,
      partialText: text,
      promptSent: true,
      retryable: false,
    });
    expect('# Architecture for "a queue"').toContain(text.trim());
    expect(text).not.toBe('');
  });

  test('sees text before the end, and ends the answer with an AbortSignal', async () => {
    const { seen, name } = await onSite(allowed, (page) =>
      page.evaluate(async (url) => {
        const abort = new AbortController();
        let seen = '';
        try {
          const options = { agentId: 'onboarding', prompt: 'a queue', signal: abort.signal };
          for await (const event of client.streamAgent(url, options)) {
            if (event.type === 'chunk') seen += event.text;
            if (seen.length > 40) abort.abort();
          }
          return { seen, name: 'none' };
        } catch (error) {
          return { seen, name: (error as Error).name };
        }
      }, `${system.url}/`),
    );

    expect(name).toBe('AbortError');
    expect(seen).toContain('# Architecture for "a queue"');
    expect(seen).not.toContain('Deployment summary');
  });

  test('gets an answer of 5 MB whole', async () => {
    const bytes = 5_000_000;

    const { text, types, error } = await onSite(allowed, (page) =>
      ask(page, { agentId: 'onboarding', prompt: `repeat ${bytes} bytes` }),
    );

    expect(error).toBeUndefined();
    expect(types.at(-1)).toBe('done');
    expect(text.length).toBe(bytes);
    // Not toBe: what would be printed of two texts of 5 MB is of no use.
    expect(text === [...fillerText(bytes)].join('')).toBe(true);
  });
});

test('a page on another origin is refused, and its prompt reaches no agent', async () => {
  const agent = system.agents.find(({ id }) => id === 'onboarding');
  const before = await agent?.promptsReceived();

  const { error } = await onSite(other, (page) => ask(page, { agentId: 'onboarding', prompt: 'a queue' }));

  expect(error).toMatchObject({ name: 'AgentError', code: 'NetworkError' });
  expect(methods).toEqual(['OPTIONS']);
  expect(await agent?.promptsReceived()).toBe(before);
});

describe('a client that splits each network read', () => {
  const count = 2000;

  test.each([
    [
      '1 to 900 bytes',
      1_000_000,
      Array.from({ length: count }, (_, index) => textOf(1 + ((index * 7) % 900), index)),
    ],
    [
      '900 bytes',
      1_800_000,
      Array.from({ length: count }, (_, index) => `${index} the quick brown fox`.padEnd(900, '.')),
    ],
  ])(
    'gets every character of 2,000 chunks of %s, at 200 a second',
    async (_sizes, atLeastBytes, texts) => {
      const steps = texts.map((send): Step => ({ send, everyMs: 5 }));
      // The frames of so long a prompt count, too, and 250 a second are the limit.
      const prompt = script({ sleepMs: 1500 }, ...steps, { send: '[DONE]' });
      const before = puppet.sent.length;

      const answer = await onSite(allowed, (page) =>
        page.evaluate(splittingClient, { url: `${system.url}/`, agentId: 'provisioning', prompt }),
      );

      expect({ chunks: answer.chunks, skipped: answer.skipped }).toEqual({ chunks: count, skipped: 0 });
      expect(answer.text === texts.join('')).toBe(true);
      const times = puppet.sent.slice(before, before + count).map(({ at }) => at);
      // A machine that stands still for a moment sends fewer in that second, and never more to make up for it.
      const perSecond = times.map((from, i) => times.slice(i).findIndex((at) => at - from > 1000));
      expect(Math.max(...perSecond)).toBeGreaterThanOrEqual(195);
      expect(Math.max(...perSecond)).toBeLessThanOrEqual(207);
      expect(answer.bytes).toBeGreaterThan(atLeastBytes);
      expect(answer.bytes).toBeLessThan(2_000_000);
    },
    60_000,
  );

  test('takes what had arrived for the whole answer where that was interrupted', async () => {
    const prompt = script({ send: 'so ' }, { send: 'far' }, { drop: true });

    const answer = await onSite(allowed, (page) =>
      page.evaluate(splittingClient, { url: `${system.url}/`, agentId: 'provisioning', prompt }),
    );

    expect(answer).toMatchObject({ text: 'so far', chunks: 2, skipped: 1 });
  });
});

/** So many bytes of UTF-8, with characters of one to four bytes, quotes and line breaks. */
function textOf(bytes: number, seed: number): string {
  const alphabet = ['a', 'ü', ' ', '語', '\n', '"', '🎈', '\\', 'z', '.'];
  let text = '';
  for (let left = bytes, at = seed; left > 0; at += 1) {
    const character = alphabet[at % alphabet.length] ?? 'a';
    const length = Buffer.byteLength(character);
    text += length <= left ? character : '-'.repeat(left);
    left -= Math.min(length, left);
  }
  return text;
}
