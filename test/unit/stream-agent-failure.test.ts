import { type ServerErrorCode, streamAgent } from '../../client/stream-agent.ts';
import type { ErrorCode } from '../../lambda/contract.ts';
import { answering, collect, failure, OPTIONS, SESSION, START, sse } from '../fixtures/client-answers.ts';
import { serve, stopServing } from '../fixtures/serve.ts';

afterEach(stopServing);

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
    await stopServing();
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
