import { streamAgent } from '../../client/stream-agent.ts';
import { answering, collect, DONE, OPTIONS, START, sse } from '../fixtures/client-answers.ts';
import { serve, stopServing } from '../fixtures/serve.ts';

afterEach(stopServing);

describe('stopping', () => {
  test('by the signal throws its AbortError and closes the connection', async () => {
    const abort = new AbortController();
    let closed = () => {};
    const connectionClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const url = await serve((_request, response) => {
      response.on('close', closed);
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(sse(START, { chunk: 'a' }));
    });
    const iterate = async () => {
      for await (const event of streamAgent(url, { ...OPTIONS, signal: abort.signal })) {
        if (event.type === 'chunk') setTimeout(() => abort.abort(), 10);
      }
    };

    await expect(iterate()).rejects.toMatchObject({ name: 'AbortError' });
    await connectionClosed;
  });

  test.each([
    ['before it is sent', 'https://example.test/', true],
    ['while no answer has come', undefined, false],
  ])('%s throws the reason of the signal', async (_, fixedUrl, atOnce) => {
    const url = fixedUrl ?? (await serve(() => {}));
    const abort = new AbortController();
    const reason = new Error('the user left');
    if (atOnce) abort.abort(reason);
    else setTimeout(() => abort.abort(reason), 20);

    const iterate = collect(streamAgent(url, { ...OPTIONS, signal: abort.signal }));

    await expect(iterate).rejects.toBe(reason);
  });

  test('works with a fetch that ignores the signal', async () => {
    const abort = new AbortController();
    const fetch = answering([sse(START, { chunk: 'a' })], 'hang');
    setTimeout(() => abort.abort(), 20);

    const iterate = collect(
      streamAgent('https://example.test/', { ...OPTIONS, fetch, signal: abort.signal }),
    );

    await expect(iterate).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('between two events of one read takes effect at once', async () => {
    const abort = new AbortController();
    const fetch = answering([sse(START, { chunk: 'a' }, { chunk: 'b' }, DONE)]);
    const types: string[] = [];
    const iterate = async () => {
      for await (const event of streamAgent('https://example.test/', {
        ...OPTIONS,
        fetch,
        signal: abort.signal,
      })) {
        types.push(event.type);
        if (event.type === 'chunk') abort.abort();
      }
    };

    await expect(iterate()).rejects.toMatchObject({ name: 'AbortError' });
    expect(types).toEqual(['start', 'chunk']);
  });

  test('by leaving the loop cancels the body', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode(sse({ chunk: 'a' })));
      },
      cancel() {
        cancelled = true;
      },
    });
    const fetch = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } });

    for await (const event of streamAgent('https://example.test/', { ...OPTIONS, fetch })) {
      if (event.type === 'chunk') break;
    }

    expect(cancelled).toBe(true);
  });

  test('nothing is sent before the first event is asked for', () => {
    let calls = 0;
    const fetch = async () => {
      calls += 1;
      return new Response();
    };

    streamAgent('https://example.test/', { ...OPTIONS, fetch });

    expect(calls).toBe(0);
  });
});
