import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { streamAgent } from '../../client/stream-agent.ts';
import { cuts, FUZZ, unicode } from '../fixtures/arbitraries.ts';
import { answering, collect, DONE, OPTIONS, SESSION, START, sse } from '../fixtures/client-answers.ts';
import { serve, stopServing } from '../fixtures/serve.ts';

afterEach(stopServing);

describe('an answer', () => {
  test('is start, chunks and done with the whole text', async () => {
    const fetch = answering([
      sse(START, { chunk: 'Hello' }),
      ': keep-alive\n',
      sse({ chunk: ' wörld' }, DONE),
    ]);

    const events = await collect(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

    expect(events).toEqual([
      { type: 'start', sessionId: SESSION, agentId: 'onboarding', requestId: 'req-1' },
      { type: 'chunk', text: 'Hello' },
      { type: 'chunk', text: ' wörld' },
      { type: 'done', sessionId: SESSION, chunks: 2, bytes: 10, durationMs: 7, text: 'Hello wörld' },
    ]);
  });

  test('holds what the agent does beside its text, each in an event of its type', async () => {
    const wire = [
      { reasoning: 'hm' },
      { toolCall: { id: 't1', name: 'calculator' } },
      { toolInput: { id: 't1', delta: '{"a":1}' } },
      { toolCallEnd: { id: 't1' } },
      { toolResult: { id: 't1', output: { sum: 2 }, isError: false } },
      { data: { name: 'state', value: { step: 2 } } },
      { usage: { inputTokens: 12, outputTokens: 80 } },
      { interrupt: { id: 'i1', reason: 'tool_call', payload: { question: 'Delete?' } } },
    ];
    const fetch = answering([sse(START, ...wire, { ...DONE, interrupted: true })]);

    const events = await collect(streamAgent('http://x/', { ...OPTIONS, fetch }));

    expect(events.slice(1, -1)).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'toolCall', id: 't1', name: 'calculator' },
      { type: 'toolInput', id: 't1', delta: '{"a":1}' },
      { type: 'toolCallEnd', id: 't1' },
      { type: 'toolResult', id: 't1', output: { sum: 2 }, isError: false },
      { type: 'data', name: 'state', value: { step: 2 } },
      { type: 'usage', inputTokens: 12, outputTokens: 80 },
      { type: 'interrupt', id: 'i1', reason: 'tool_call', payload: { question: 'Delete?' } },
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'done', interrupted: true });
  });

  test('skips what it does not know: comments, [DONE], unknown events, what follows done', async () => {
    const fetch = answering([
      `:\n\n${sse({ progress: 3 })}data: [DONE]\n\ndata: 12\n\ndata: null\n\n${sse({ chunk: 'a' }, DONE, { chunk: 'b' })}`,
    ]);

    const events = await collect(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

    expect(events.map((event) => event.type)).toEqual(['chunk', 'done']);
  });

  test('is the same wherever the network cuts its bytes', async () => {
    const texts = fc.array(unicode({ maxLength: 20 }), { maxLength: 12 });

    await fc.assert(
      fc.asyncProperty(texts, cuts, async (chunks, places) => {
        const bytes = new TextEncoder().encode(sse(START, ...chunks.map((chunk) => ({ chunk })), DONE));
        const edges = [0, ...places.map((place) => Math.floor(place * bytes.length)), bytes.length];
        edges.sort((a, b) => a - b);
        const parts = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));

        const events = await collect(
          streamAgent('https://example.test/', { ...OPTIONS, fetch: answering(parts) }),
        );

        expect(events.flatMap((event) => (event.type === 'chunk' ? [event.text] : []))).toEqual(chunks);
        expect(events.at(-1)).toMatchObject({ type: 'done', text: chunks.join('') });
      }),
      FUZZ,
    );
  });

  test('is asked for with a POST of the three fields, for an event stream', async () => {
    let sent: [string, RequestInit] | undefined;
    const { signal } = new AbortController();
    const fetch = async (url: string, init: RequestInit) => {
      sent = [url, init];
      return new Response(sse(DONE), { headers: { 'content-type': 'text/event-stream' } });
    };

    await collect(
      streamAgent(new URL('https://example.test'), { ...OPTIONS, sessionId: SESSION, signal, fetch }),
    );

    expect(sent).toEqual([
      'https://example.test/',
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
        body: JSON.stringify({ ...OPTIONS, sessionId: SESSION }),
        signal,
        redirect: 'manual',
      },
    ]);
  });

  test('comes event by event over a real connection, which then serves the next turn', async () => {
    const ports = new Set<number | undefined>();
    let release = () => {};
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(sse(START, { chunk: 'a' }));
      release = () => {
        response.write(sse({ chunk: 'b' }, DONE));
        setTimeout(() => response.end(), 20);
      };
    });

    for (let turn = 0; turn < 2; turn += 1) {
      const types: string[] = [];
      for await (const event of streamAgent(url, OPTIONS)) {
        types.push(event.type);
        if (event.type === 'chunk' && event.text === 'a') release();
      }
      expect(types).toEqual(['start', 'chunk', 'chunk', 'done']);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(ports.size).toBe(1);
  });
});

test.each([
  ['as the stack prints it', '/', '/'],
  ['without its slash', '', '/'],
  ['with a path', '/api', '/api'],
  ['with a path and a slash', '/api/', '/api/'],
])('a URL %s is asked as it is', async (_, path, expected) => {
  let asked: string | undefined;
  const url = await serve((request, response) => {
    asked = request.url;
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(sse(DONE));
  });

  await collect(streamAgent(url.replace(/\/$/, path), OPTIONS));

  expect(asked).toBe(expected);
});

test('the client is under 3 KB, bundled, minified and gzipped, with no dependency', () => {
  const { outputFiles, metafile } = buildSync({
    entryPoints: [join(import.meta.dirname, '../../client/stream-agent.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
  });

  const size = gzipSync(outputFiles[0]?.contents ?? '').length;

  expect(size).toBeLessThan(3_000);
  expect(size).toBeGreaterThan(500);
  expect(Object.keys(metafile.inputs).every((file) => file.startsWith('client/'))).toBe(true);
});
