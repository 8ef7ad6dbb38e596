import { getEventListeners, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AgentEvent, streamAgent } from '../../client/stream-agent.ts';
import { serve, stopServing } from '../fixtures/serve.ts';

const OPTIONS = { agentId: 'onboarding', prompt: 'a static website' };
const SSE = { 'Content-Type': 'text/event-stream' };
const CHUNK = 'data: {"chunk":"a"}\n\n';
const DONE = 'data: {"done":true,"sessionId":"s","chunks":1,"bytes":1,"durationMs":1}\n\n';
const ERROR = 'data: {"error":"lost","code":"AgentInterrupted","retryable":false,"promptSent":true}\n\n';

/** A signing client that makes requests of its own may well forget the signal. */
const deafFetch = (url: string, { signal: _, ...init }: RequestInit) => fetch(url, init);

afterEach(stopServing);

async function readAll(events: AsyncIterable<AgentEvent>): Promise<void> {
  for await (const _ of events);
}

describe('with a fetch that ignores the signal, an abort', () => {
  test('ends the wait for an answer that never comes', async () => {
    const abort = new AbortController();
    const url = await serve(() => abort.abort());

    const reading = readAll(streamAgent(url, { ...OPTIONS, fetch: deafFetch, signal: abort.signal }));

    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('ends it at once, and closes the connection when the answer comes after all and is silent', async () => {
    const abort = new AbortController();
    let answer: ServerResponse | undefined;
    const url = await serve((_request, response) => {
      answer = response;
      abort.abort();
    });

    const reading = readAll(streamAgent(url, { ...OPTIONS, fetch: deafFetch, signal: abort.signal }));
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    const closed = once(answer as ServerResponse, 'close');
    answer?.writeHead(200, SSE).flushHeaders();

    await closed;
  });

  test('in the moment between the answer and its first event closes the connection', async () => {
    const abort = new AbortController();
    let closed: Promise<unknown> = Promise.reject(new Error('nothing was asked'));
    closed.catch(() => {});
    const url = await serve((_request, response) => {
      closed = once(response, 'close');
      response.writeHead(200, SSE).flushHeaders();
    });
    const fetch = async (...args: Parameters<typeof deafFetch>) => {
      const response = await deafFetch(...args);
      queueMicrotask(() => abort.abort());
      return response;
    };

    const reading = readAll(streamAgent(url, { ...OPTIONS, fetch, signal: abort.signal }));

    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    await closed;
  });

  test('ends the reading of an error whose body never ends, and closes the connection', async () => {
    const abort = new AbortController();
    let closed: Promise<unknown> = Promise.reject(new Error('nothing was asked'));
    closed.catch(() => {});
    const url = await serve((_request, response) => {
      closed = once(response, 'close');
      response.writeHead(502, { 'Content-Type': 'application/json' });
      response.write('{"error":"AgentFailed",');
      setTimeout(() => abort.abort(), 30);
    });

    const reading = readAll(streamAgent(url, { ...OPTIONS, fetch: deafFetch, signal: abort.signal }));

    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    await closed;
  });
});

test('an error body without end is read no further than an error of the service can be long', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(502, { 'Content-Type': 'text/html' });
    const timer = setInterval(() => response.write('x'.repeat(16_384)), 5);
    response.once('close', () => clearInterval(timer));
  });

  await expect(readAll(streamAgent(url, OPTIONS))).rejects.toMatchObject({ code: 'UnexpectedResponse' });
});

test.each([
  ['an answer', 200, CHUNK + DONE],
  ['an error event', 200, CHUNK + ERROR],
  ['an answer that breaks off', 200, CHUNK],
  ['a status', 404, '{}'],
])('%s leaves no listener on the signal', async (_, status, body) => {
  const url = await serve((_request, response) => response.writeHead(status, SSE).end(body));
  const { signal } = new AbortController();

  // The second argument of the platform's own fetch may keep one until it is collected.
  await readAll(streamAgent(url, { ...OPTIONS, fetch: deafFetch, signal })).catch(() => {});

  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
