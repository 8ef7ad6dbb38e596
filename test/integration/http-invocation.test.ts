import { describe, expect, test } from '@jest/globals';
import { SETTINGS } from '../../lambda/settings.ts';
import { invokeEvent } from '../fixtures/invoke-event.ts';
import { script } from '../fixtures/puppet-agent.ts';
import {
  ok,
  post,
  puppet,
  request,
  runtimeArn,
  startOwn,
  system,
  usePuppetSystem,
} from '../fixtures/puppet-system.ts';
import { invokeSse, newSessionId, readSse, until } from '../fixtures/sse.ts';
import { testOn } from '../fixtures/test-on.ts';

usePuppetSystem();

describe('a request that is wrong', () => {
  const binary = { 'content-type': 'application/octet-stream' };

  test.each<[string, BodyInit, Record<string, string>, number, string]>([
    ['not JSON', 'agentId=puppet', {}, 400, 'body'],
    ['nothing', '', {}, 400, 'body'],
    ['null', 'null', {}, 400, 'body'],
    ['an array', '[]', {}, 400, 'body'],
    ['a string', '"x"', {}, 400, 'body'],
    ['without an agent', JSON.stringify({ prompt: 'x' }), {}, 400, 'agentId'],
    ['with a number for an agent', JSON.stringify({ agentId: 7, prompt: 'x' }), {}, 400, 'agentId'],
    ['without a prompt', JSON.stringify({ agentId: 'puppet' }), {}, 400, 'prompt'],
    ['with an object for a prompt', JSON.stringify({ agentId: 'puppet', prompt: {} }), {}, 400, 'prompt'],
    ['with an empty prompt', JSON.stringify({ agentId: 'puppet', prompt: '' }), {}, 400, 'prompt'],
    [
      'with a prompt over its limit',
      request({ prompt: 'x'.repeat(SETTINGS.maxPromptBytes.default + 1) }),
      {},
      413,
      'prompt',
    ],
    [
      'with a malformed ARN',
      request({ agentId: 'arn:aws:bedrock-agentcore:x:1:runtime/y' }),
      {},
      400,
      'agentId',
    ],
    [
      'with an endpoint ARN',
      request({ agentId: `${runtimeArn}/runtime-endpoint/DEFAULT` }),
      {},
      400,
      'agentId',
    ],
    ['of bytes that are not UTF-8', new Uint8Array([0x7b, 0xff]), binary, 400, 'body'],
    ['with __proto__ for fields', '{"__proto__":{"agentId":"puppet","prompt":"x"}}', {}, 400, 'agentId'],
  ])(
    '%s is refused by the field, and nothing reaches an agent',
    async (_what, body, headers, status, field) => {
      const before = puppet.prompts.length;

      const response = await post('/', body, headers);

      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({
        message: expect.stringMatching(new RegExp(`^"${field}": `)),
        details: { fields: [field] },
        promptSent: false,
      });
      expect(puppet.prompts).toHaveLength(before);
    },
  );

  testOn('function-url').each([
    ['other characters', 'not base64!'],
    ['a length that none has', Buffer.from(request()).toString('base64').replace(/=*$/, 'A')],
    ['the alphabet of URLs', Buffer.from(request({ more: '???>>>' })).toString('base64url')],
  ])('base64 with %s is refused by the body, and nothing reaches an agent', async (_what, body) => {
    const before = puppet.prompts.length;

    const response = await invokeEvent(system.runtime, {
      rawPath: '/',
      body,
      isBase64Encoded: true,
      requestContext: { http: { method: 'POST' } },
    });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: 'BadRequest',
      message: '"body": expected base64, got invalid base64',
      details: { fields: ['body'] },
      promptSent: false,
    });
    expect(puppet.prompts).toHaveLength(before);
  });

  test('a prompt of 6 MB is refused by the prompt, and nothing reaches an agent', async () => {
    const before = puppet.prompts.length;

    const response = await post('/', request({ prompt: 'x'.repeat(6_000_000) }));

    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      error: 'PayloadTooLarge',
      details: { fields: ['prompt'] },
    });
    expect(puppet.prompts).toHaveLength(before);
  });
});

describe('a request that is right', () => {
  test('may come as bytes', async () => {
    const body = new TextEncoder().encode(request());

    expect(await (await post('/', body, { 'content-type': 'application/octet-stream' })).text()).toContain(
      'fine',
    );
  });

  test('may have a prompt of a megabyte, which reaches the agent whole', async () => {
    const prompt = script({ send: 'fine' }, { send: '[DONE]' }).padEnd(1_000_000);

    const answer = await invokeSse(system.url, { agentId: 'puppet', prompt });

    expect(answer.text).toBe('fine');
    expect(puppet.prompts.at(-1)?.prompt === prompt).toBe(true);
  });

  // The event may have 6 MiB, in which a body that is not text stands as base64.
  test.each([
    ['JSON', 'application/json', 6_200_000],
    ['bytes', 'application/octet-stream', 4_600_000],
  ])(
    'may be as long as the platform lets it, as %s, and its prompt reaches the agent whole',
    async (_as, contentType, length) => {
      const prompt = ok.padEnd(1_000_000);
      const body = request({ prompt, padding: 'x'.repeat(length - 1_000_200) });

      const response = await post('/', body, { 'content-type': contentType });

      expect(response.status).toBe(200);
      expect(await response.text()).toContain('{"chunk":"fine"}');
      expect(body.length).toBeGreaterThan(length - 200);
      expect(puppet.prompts.at(-1)?.prompt === prompt).toBe(true);
    },
  );

  testOn('function-url').each([
    ['JSON', 'application/json', 6_291_000],
    ['bytes', 'application/octet-stream', 4_720_000],
  ])('that is longer as an event, as %s, is refused by the platform', async (_as, contentType, length) => {
    const body = request({ padding: 'x'.repeat(length) });

    const response = await post('/', body, { 'content-type': contentType });

    expect(body.length).toBeLessThan(6 * 1024 * 1024);
    expect([response.status, await response.json()]).toEqual([413, { message: 'Request Too Long' }]);
  });

  test.each([['short'], ['x'.repeat(257)], ['-'.repeat(40)], ['with spaces '.repeat(4)], [42], [null]])(
    'is answered in a new session where its id is %p',
    async (sessionId) => {
      const answer = await invokeSse(system.url, { agentId: 'puppet', prompt: ok, sessionId });

      const made = answer.headers.get('x-session-id');
      expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(answer.events[0]?.data.sessionId).toBe(made);
      expect(answer.last.sessionId).toBe(made);
      expect(puppet.prompts.at(-1)?.sessionId).toBe(made);
    },
  );

  test.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
    ['garbage', false],
  ])('passes traceparent %s on: %p', async (traceparent, passed) => {
    await (await post('/', request(), { traceparent })).text();

    const headers = system.dataPlane.requests.at(-1)?.headers;
    expect(headers?.traceparent).toBe(passed ? traceparent : undefined);
    // This invocation is not sampled, and must not switch off the agent's own traces.
    expect(headers).not.toHaveProperty('x-amzn-trace-id');
  });
});

describe('time', () => {
  test('commits an SSE answer after silence, and fills the silence', async () => {
    const { url } = await startOwn({ COMMIT_AFTER_MS: '100', HEARTBEAT_INTERVAL_MS: '150' });

    const answer = await invokeSse(url, {
      agentId: 'puppet',
      prompt: script({ sleepMs: 1500 }, { send: 'late' }, { send: '[DONE]' }),
    });

    expect(answer.events[0]?.data).toMatchObject({ start: true });
    expect(answer.events[0]?.atMs).toBeLessThan((answer.events[1]?.atMs ?? 0) - 500);
    expect(answer.raw.match(/^: keep-alive$/gm)?.length).toBeGreaterThanOrEqual(4);
    expect(answer.text).toBe('late');
  });

  test('never commits JSON: a late failure is a status', async () => {
    const { url } = await startOwn({ COMMIT_AFTER_MS: '0', FIRST_CHUNK_TIMEOUT_MS: '300' });

    const response = await fetch(`${url}/api/agents/invoke`, {
      method: 'POST',
      body: request({ prompt: script() }),
    });

    expect(response.status).toBe(504);
  });

  testOn('function-url')(
    'the last chunk before 5 s of silence is there within 150 ms though the platform holds small writes back',
    async () => {
      const { url } = await startOwn({}, { functionUrl: { sticky: true } });
      const last = 'before 5 s of silence';
      const prompt = script(
        { send: 'first' },
        { sleepMs: 300 },
        { send: last },
        { sleepMs: 5000 },
        { send: '[DONE]' },
      );
      const delays: number[] = [];

      // A machine that is busy at that moment delays one of them, hardly all.
      do {
        const { events } = await readSse(await fetch(url, { method: 'POST', body: request({ prompt }) }), 0);
        const arrivedAt = events.find(({ data }) => data.chunk === last)?.atMs ?? Number.POSITIVE_INFINITY;
        delays.push(arrivedAt - (puppet.sent.findLast(({ text }) => text === last)?.at ?? 0));
      } while (Math.min(...delays) >= 150 && delays.length < 3);

      expect(Math.min(...delays)).toBeLessThan(150);
      // It was held back, until the nudge.
      expect(Math.min(...delays)).toBeGreaterThan(45);
    },
    30_000,
  );

  test('nothing is begun where no time is left', async () => {
    const { url } = await startOwn({ DEADLINE_RESERVE_MS: '3000' }, { runtime: { timeoutMs: 2000 } });
    const before = puppet.prompts.length;

    const response = await fetch(url, {
      method: 'POST',
      body: request({ prompt: script({ send: 'text' }) }),
    });

    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({
      error: 'AgentTimeout',
      message: 'no time is left for an answer',
      promptSent: false,
      retryable: true,
    });
    expect(puppet.prompts).toHaveLength(before);
  });

  test.each([
    ['SSE', '/', (text: string) => JSON.parse(text.trim().split('\n').at(-1)?.slice(6) ?? '')],
    ['JSON', '/api/agents/invoke', (text: string) => ({ ...JSON.parse(text).error, partial: true })],
  ])(
    'near the Lambda timeout a %s answer is closed properly and the environment lives',
    async (_format, path, ending) => {
      const { url, runtime } = await startOwn(
        { DEADLINE_RESERVE_MS: '500' },
        { runtime: { timeoutMs: 1500 } },
      );

      const response = await fetch(url + path, {
        method: 'POST',
        body: request({ prompt: script({ send: 'some text', everyMs: 0 }, { sleepMs: 60_000 }) }),
      });
      const text = await response.text();

      expect(response.status).toBe(200);
      expect(text).toContain('some text');
      expect(ending(text)).toMatchObject({
        code: 'AgentTimeout',
        promptSent: true,
        retryable: false,
        partial: true,
      });
      await until(() => runtime.environments[0]?.state === 'idle', 'the environment is idle');
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect(runtime.environments).toHaveLength(1);
    },
  );

  test('a reader that stops reading does not keep metrics and the answer from being closed at the deadline', async () => {
    const { url, logs } = await startOwn(
      { DEADLINE_RESERVE_MS: '700' },
      {
        runtime: { timeoutMs: 2000 },
        functionUrl: { bandwidth: false },
        dataPlane: { quotas: { maxFramesPerSecond: Infinity } },
      },
    );
    const response = await fetch(url, {
      method: 'POST',
      body: request({ prompt: script({ send: 'z'.repeat(20_000), times: 5000 }) }),
    });
    await response.body?.getReader().read();

    await until(
      () => logs.some(({ line }) => line.includes('"outcome":"AgentTimeout"') && line.includes('_aws')),
      'the metrics are out',
      4000,
    );
  });

  test('an answer over the size limit ends in-band', async () => {
    const { url } = await startOwn({ MAX_RESPONSE_BYTES: '10000' });

    const answer = await invokeSse(url, {
      agentId: 'puppet',
      prompt: script({ send: 'w'.repeat(1000), times: 50 }, { send: '[DONE]' }),
    });

    expect(answer.text.length).toBeGreaterThan(8000);
    expect(answer.text.length).toBeLessThan(10_000);
    expect(answer.last).toMatchObject({ code: 'ResponseTooLarge', partial: true });
  });
});

describe('agents differ', () => {
  test.each([
    [
      'binary messages cut inside a character',
      script(
        { binary: Buffer.from('é').subarray(0, 1).toString('base64') },
        { binary: Buffer.from('é').subarray(1).toString('base64') },
        { close: 1000 },
      ),
      'é',
    ],
    ['fragments', script({ fragments: ['fra', 'gm', 'ents'] }, { close: 1005 }), 'fragments'],
    [
      'SSE cut anywhere after its first event',
      script(
        { send: 'data: {"chunk":"a"}\n\n' },
        { send: 'da' },
        { send: 'ta: {"ch' },
        { send: 'unk":"b"}\n' },
        { send: '\ndata: [DONE]\n\n' },
      ),
      'ab',
    ],
    [
      'text after the end',
      script({ send: '{"chunk":"a"}' }, { send: '{"type":"done"}' }, { send: '{"chunk":"late"}' }),
      'a',
    ],
    [
      'surrogate pairs and controls',
      script({ send: JSON.stringify('\u0000 \u{1f600} \n data: x') }, { close: 1000 }),
      '\u0000 \u{1f600} \n data: x',
    ],
  ])('with %s', async (_what, prompt, text) => {
    const sse = await invokeSse(system.url, { agentId: 'puppet', prompt });
    const json = await (await post('/api/agents/invoke', request({ prompt }))).json();

    expect(sse.text).toBe(text);
    expect(sse.last).toMatchObject({ done: true });
    expect(json).toMatchObject({ response: text });
  });

  test('an answer that ends without any text is complete', async () => {
    const answer = await invokeSse(system.url, { agentId: 'puppet', prompt: script({ send: '[DONE]' }) });

    expect(answer.events.map(({ data }) => Object.keys(data)[0])).toEqual(['start', 'done']);
  });

  test('a message that comes late is never part of the next answer of its session', async () => {
    const sessionId = newSessionId();
    const first = await invokeSse(system.url, {
      agentId: 'puppet',
      prompt: script({ send: 'one' }, { send: '[DONE]' }, { sleepMs: 50 }, { send: 'late' }),
      sessionId,
    });
    await new Promise((resolve) => setTimeout(resolve, 150));

    const second = await invokeSse(system.url, {
      agentId: 'puppet',
      prompt: script({ send: 'two' }, { send: '[DONE]' }),
      sessionId,
    });

    expect([first.text, second.text]).toEqual(['one', 'two']);
  });
});
