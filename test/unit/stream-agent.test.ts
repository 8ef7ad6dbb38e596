import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import {
  AgentError,
  type AgentEvent,
  type ServerErrorCode,
  type StreamAgentOptions,
  streamAgent,
} from '../../client/stream-agent.ts';
import type { ErrorCode } from '../../lambda/contract.ts';
import { cuts, FUZZ } from '../fixtures/arbitraries.ts';

const SESSION = 'c0ffee00-1111-4222-8333-444455556666';
const START = { start: true, sessionId: SESSION, agentId: 'onboarding', requestId: 'req-1' };
const DONE = { done: true, sessionId: SESSION, chunks: 2, bytes: 10, durationMs: 7 };
const OPTIONS = { agentId: 'onboarding', prompt: 'a static website' };

const sse = (...events: object[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

/** A fetch that answers with a stream of these parts and then does what `end` says. */
function answering(
  parts: (string | Uint8Array)[],
  end: 'close' | 'break' | 'hang' = 'close',
  init: ResponseInit = {},
): NonNullable<StreamAgentOptions['fetch']> {
  return async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const part of parts) {
          controller.enqueue(typeof part === 'string' ? new TextEncoder().encode(part) : part);
        }
        if (end === 'close') controller.close();
        if (end === 'break') controller.error(new TypeError('network error'));
      },
    });
    return new Response(body, {
      ...init,
      headers: { 'Content-Type': 'text/event-stream; charset=utf-8', ...init.headers },
    });
  };
}

async function collect(iterable: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of iterable) events.push(event);
  return events;
}

async function failure(iterable: AsyncIterable<AgentEvent>): Promise<AgentError> {
  const error = await collect(iterable).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AgentError);
  return error as AgentError;
}

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

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
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 12 });

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

describe('a failure', () => {
  test('before the stream has the status, code and details of the body', async () => {
    const body = {
      error: 'Throttled',
      message: 'slow down',
      requestId: 'req-2',
      retryable: true,
      promptSent: false,
      details: { agentId: 'onboarding', retryAfterSeconds: 3 },
    };
    const fetch = async () =>
      Response.json(body, { status: 429, headers: { 'X-Session-Id': SESSION, 'Retry-After': '3' } });

    const error = await failure(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

    expect({ ...error, message: error.message }).toEqual({
      name: 'AgentError',
      message: 'slow down',
      code: 'Throttled',
      status: 429,
      retryable: true,
      promptSent: false,
      partialText: '',
      sessionId: SESSION,
      requestId: 'req-2',
      details: { agentId: 'onboarding', retryAfterSeconds: 3 },
    });
    expect(error.retryAfterSeconds).toBe(3);
  });

  test('in the stream has the same form, and the text so far', async () => {
    const event = {
      error: 'connection lost',
      code: 'AgentInterrupted',
      retryable: false,
      promptSent: true,
      partial: true,
      sessionId: SESSION,
      requestId: 'req-1',
      details: { upstreamRequestId: 'up-1' },
    };
    const fetch = answering([sse(START, { chunk: 'so ' }, { chunk: 'far' }, event)]);

    const error = await failure(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

    expect({ ...error, message: error.message }).toEqual({
      name: 'AgentError',
      message: 'connection lost',
      code: 'AgentInterrupted',
      status: 200,
      retryable: false,
      promptSent: true,
      partialText: 'so far',
      sessionId: SESSION,
      requestId: 'req-1',
      details: { upstreamRequestId: 'up-1' },
    });
  });

  test.each(['close', 'break'] as const)(
    'is what a stream is that %ss without a closing event',
    async (end) => {
      // An event that waits for its blank line is not one.
      const fetch = answering([sse(START, { chunk: 'so far' }), 'data: {"done":true}\n'], end);
      const received: string[] = [];

      const iterate = async () => {
        for await (const event of streamAgent('https://example.test/', { ...OPTIONS, fetch })) {
          received.push(event.type);
        }
      };

      // A broken ReadableStream forgets what was queued before it broke.
      const partialText = end === 'close' ? 'so far' : '';
      await expect(iterate()).rejects.toMatchObject({
        code: 'StreamTruncated',
        retryable: false,
        promptSent: true,
        partialText,
      });
      expect(received).not.toContain('done');
    },
  );

  test('is a connection that dies in the middle, with the text so far and the cause', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Session-Id': SESSION });
      response.write(sse(START, { chunk: 'so far' }));
      setTimeout(() => response.destroy(), 30);
    });

    const error = await failure(streamAgent(url, OPTIONS));

    expect(error).toMatchObject({ code: 'StreamTruncated', partialText: 'so far', sessionId: SESSION });
    expect(Error.isError(error.cause)).toBe(true);
  });

  test.each([
    [403, '{"Message":"Forbidden"}', 'AccessDenied', false, false],
    [
      429,
      '{"Reason":"ConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}',
      'Throttled',
      true,
      false,
    ],
    [502, 'Internal Server Error', 'UnexpectedResponse', false, true],
    [504, '<html>Gateway Timeout</html>', 'UnexpectedResponse', false, true],
    [413, '', 'PayloadTooLarge', false, false],
    [415, '', 'UnsupportedEncoding', false, false],
    [418, '[]', 'UnexpectedResponse', false, false],
    [404, '{"error":"Not Found","message":"no such page"}', 'NotFound', false, false],
    [503, '{"error":"Throttled","message":"x","requestId":"r"}', 'UnexpectedResponse', false, true],
    [503, '{"error":"Throttled","message":"x","retryable":true}', 'UnexpectedResponse', false, true],
  ])(
    'of somebody else in front of the service, status %d with %s, has a code too',
    async (status, body, code, retryable, promptSent) => {
      const fetch = async () => new Response(body, { status, headers: { 'x-amzn-RequestId': 'aws-1' } });

      const error = await failure(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

      expect(error).toMatchObject({ code, status, retryable, promptSent, requestId: 'aws-1' });
    },
  );

  describe('is a redirect, which is not followed', () => {
    test.each([301, 302, 303, 307, 308])('%i: the prompt is sent once', async (status) => {
      const methods: string[] = [];
      const url = await serve((request, response) => {
        methods.push(request.method ?? '');
        response.writeHead(status, { Location: '/' }).end();
      });

      const error = await failure(streamAgent(url, OPTIONS));

      expect(methods).toEqual(['POST']);
      expect(error).toMatchObject({
        code: 'UnexpectedResponse',
        message: expect.stringContaining('redirect'),
        status,
        retryable: false,
        promptSent: false,
      });
    });

    test('in a browser, which hides its status', async () => {
      const hidden = Object.defineProperties(new Response(null), {
        ...{ status: { value: 0 }, ok: { value: false }, type: { value: 'opaqueredirect' } },
      });

      const error = await failure(
        streamAgent('https://example.test/', { ...OPTIONS, fetch: async () => hidden }),
      );

      expect(error).toMatchObject({
        code: 'UnexpectedResponse',
        message: expect.stringContaining('redirect'),
        status: undefined,
        promptSent: false,
      });
    });
  });

  describe('says how long to wait only where one can', () => {
    test.each([
      ['7', 7],
      ['0', 1],
      ['-5', 1],
      ['Infinity', 1],
      ['1e9', 1],
      ['0x10', 1],
      ['5.5', 1],
      ['9999999', 1],
      ['Wed, 21 Oct 2026 07:28:00 GMT', 1],
    ])('in the header of somebody else, %s', async (retryAfter, seconds) => {
      const headers = { 'Retry-After': retryAfter };
      const fetch = async () => new Response('', { status: 429, headers });

      const error = await failure(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

      expect(error.retryAfterSeconds).toBe(seconds);
    });

    test.each([
      ['7', 7],
      ['-5', undefined],
      ['0', undefined],
      ['1e999', undefined],
      ['"soon"', undefined],
      ['null', undefined],
      ['[7]', undefined],
    ])('in a body and in an event, %s', async (written, seconds) => {
      const members = `"message":"x","requestId":"r","retryable":true,"details":{"hint":"h","retryAfterSeconds":${written}}`;
      const ofBody = async () => new Response(`{"error":"Throttled",${members}}`, { status: 429 });
      const ofEvent = answering([sse(START), `data: {"error":"x","code":"Throttled",${members}}\n\n`]);

      for (const fetch of [ofBody, ofEvent]) {
        const error = await failure(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

        expect(error.retryAfterSeconds).toBe(seconds);
        expect(error.details.hint).toBe('h');
      }
    });

    test.each(['null', '"text"', '7', '[]'])('and has no details where %s came for them', async (written) => {
      const members = `"message":"x","requestId":"r","retryable":false,"details":${written}`;
      const fetch = async () => new Response(`{"error":"Internal",${members}}`, { status: 500 });

      const error = await failure(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

      expect(error.details).toEqual({});
    });
  });

  test('of Lambda itself, which knows no permission of the caller, says that it is the caller who may not', async () => {
    const fetch = async () => Response.json({ Message: 'Forbidden' }, { status: 403 });

    const error = await failure(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

    expect(error.message).toBe('not allowed to call this service');
  });

  test('is a page where a stream was expected', async () => {
    const fetch = async () => new Response('<html>', { headers: { 'content-type': 'text/html' } });

    const error = await failure(streamAgent('https://example.test/', { ...OPTIONS, fetch }));

    expect(error).toMatchObject({ code: 'UnexpectedResponse', status: 200, retryable: false });
  });

  test('to connect was certainly not sent; any other failure to answer may have been', async () => {
    const url = await serve((request) => request.socket.destroy());

    const lost = await failure(streamAgent(url, OPTIONS));
    await new Promise((resolve) => server?.close(resolve));
    const refused = await failure(streamAgent(url, OPTIONS));

    expect(lost).toMatchObject({
      code: 'NetworkError',
      retryable: false,
      promptSent: true,
      status: undefined,
    });
    expect(refused).toMatchObject({ code: 'NetworkError', retryable: true, promptSent: false });
  });

  test.each(['not a url', 'http://', 'https://name:secret@example.test/'])(
    'is not what a URL is that cannot be asked: %s throws the TypeError of fetch',
    async (url) => {
      const reading = collect(streamAgent(url, OPTIONS));

      await expect(reading).rejects.toMatchObject({ name: 'TypeError' });
    },
  );

  test('has every code of the service in its type', () => {
    const codes: [ErrorCode] extends [ServerErrorCode]
      ? [ServerErrorCode] extends [ErrorCode]
        ? 'the same'
        : 'too many'
      : 'too few' = 'the same';

    expect(codes).toBe('the same');
  });
});

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
