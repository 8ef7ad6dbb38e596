import { afterEach, describe, expect, test } from '@jest/globals';
import { until } from '../fixtures/sse.ts';
import { Trial } from '../fixtures/trial.ts';

const trial = new Trial();

afterEach(() => trial.close());

describe('the Function URL', () => {
  test.each([
    ['before the first write', 'throw'],
    ['with nothing written', 'exit'],
  ])('answers 502 for a function that fails %s', async (_when, what) => {
    await trial.start();

    const response = await trial.ask(what);

    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ message: 'Internal Server Error' });
  });

  test('passes status, headers and cookies of the prelude, and each write as it comes', async () => {
    await trial.start();

    const response = await trial.ask('echo', {
      statusCode: 203,
      headers: { 'x-own': '1' },
      cookies: ['a=1; Path=/', 'b=2'],
    });
    const chunks = await trial.ask('chunks', { count: 5, everyMs: 40 });
    const times: number[] = [];
    for await (const _part of chunks.body ?? []) times.push(performance.now());

    expect(response.status).toBe(203);
    expect(response.headers.get('x-own')).toBe('1');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(times).toHaveLength(5);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(120);
    await response.text();
  });

  test('loses status and headers of an end without a write, as the real one does', async () => {
    await trial.start();

    const response = await trial.ask('end without write');

    expect(response.status).not.toBe(418);
  });

  test('answers 200 and octet-stream without a prelude', async () => {
    await trial.start();

    const response = await trial.ask('no prelude');

    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/octet-stream',
    ]);
  });

  test('refuses a request over 6 MB', async () => {
    await trial.start();

    const response = await fetch(trial.url.url, { method: 'POST', body: 'x'.repeat(6 * 1024 * 1024 + 1) });

    expect(response.status).toBe(413);
  });

  test('sends 6 MB at once and the rest at 2 MB/s', async () => {
    await trial.start();
    const startedAt = performance.now();

    const { length } = await trial.textOf('bytes', { bytes: 8_000_000 });

    expect(length).toBe(8_000_000);
    // 8,000,000 less 6 MiB at 2 MiB/s.
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  test.each([
    ['lets 200 MB through', 209_700_000, true],
    ['cuts a response off at 200 MB', 209_800_000, false],
  ])(
    '%s',
    async (_what, bytes, isWhole) => {
      await trial.start({}, { bandwidth: false });

      const response = await trial.ask('bytes', { bytes });
      let received = 0;
      const read = async () => {
        for await (const part of response.body ?? []) received += (part as Uint8Array).length;
        return 'whole';
      };
      const end = await read().catch(() => 'cut');

      expect(end).toBe(isWhole ? 'whole' : 'cut');
      expect(received).toBeLessThanOrEqual(200 * 1024 * 1024);
      expect(received).toBeGreaterThan(isWhole ? 209_699_999 : 150_000_000);
      // The function has written all of it, and knows nothing of this.
      await until(() => trial.lines.some((line) => line.includes('all written')), 'everything is written');
      await trial.idle();
    },
    60_000,
  );

  test('holds a small write until the next one where it is sticky', async () => {
    await trial.start({}, { sticky: true });

    const response = await trial.ask('chunks', { count: 2, everyMs: 200 });
    const received: { text: string; atMs: number }[] = [];
    const startedAt = performance.now();
    for await (const part of response.body ?? []) {
      received.push({ text: Buffer.from(part).toString(), atMs: performance.now() - startedAt });
    }

    expect(received[0]).toMatchObject({ text: 'chunk 0;' });
    expect(received[0]?.atMs).toBeGreaterThan(150);
    expect(received.map(({ text }) => text).join('')).toBe('chunk 0;chunk 1;');
  });

  test('tells the function nothing of a caller that is gone', async () => {
    await trial.start({}, { bandwidth: false });
    const abort = new AbortController();
    const response = await fetch(trial.url.url, {
      method: 'POST',
      body: JSON.stringify({ do: 'bytes', bytes: 20_000_000 }),
      signal: abort.signal,
    });
    await response.body?.getReader().read();

    abort.abort();

    await until(
      () => trial.lines.some((line) => line.includes('all written')),
      'the function has written everything',
    );
    await trial.idle();
  });

  test('answers a preflight itself, from its allowed origins alone', async () => {
    await trial.start(
      {},
      {
        cors: {
          allowedOrigins: ['https://app.example'],
          allowedHeaders: ['content-type'],
          allowedMethods: ['GET', 'POST'],
          exposedHeaders: ['X-Session-Id'],
        },
      },
    );
    const preflight = (origin: string) =>
      fetch(trial.url.url, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });

    const [allowed, refused] = [
      await preflight('https://app.example'),
      await preflight('https://evil.example'),
    ];
    const answer = await fetch(trial.url.url, {
      method: 'POST',
      body: '{}',
      headers: { origin: 'https://app.example' },
    });

    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.headers.get('access-control-allow-methods')).toBe('GET,POST');
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('access-control-expose-headers')).toBe('X-Session-Id');
    // The two preflights never reached the function.
    expect(await answer.text()).toBe('1');
  });

  test('makes an event of payload format 2.0', async () => {
    await trial.start(
      {},
      { caller: { accessKey: 'AKIA', accountId: '1', callerId: 'c', userArn: 'arn:u', userId: 'u' } },
    );

    const response = await fetch(`${trial.url.url}/a%2Fb//c?x=1&y=2&x=3`, {
      method: 'POST',
      body: JSON.stringify({ do: 'echo' }),
      headers: { 'X-Upper': 'Kept', cookie: 'a=1; b=2' },
    });
    const { event } = (await response.json()) as { event: Record<string, unknown> };

    expect(event).toMatchObject({
      version: '2.0',
      rawPath: '/a%2Fb//c',
      rawQueryString: 'x=1&y=2&x=3',
      queryStringParameters: { x: '1,3', y: '2' },
      cookies: ['a=1', 'b=2'],
      headers: { 'x-upper': 'Kept' },
      isBase64Encoded: false,
      requestContext: {
        http: { method: 'POST', path: '/a%2Fb//c' },
        authorizer: { iam: { userArn: 'arn:u' } },
      },
    });
  });
});
