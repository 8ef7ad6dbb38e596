import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { InvokeRequest } from '../../lambda/answer/protocol.ts';
import { type FunctionUrlEvent, toRequest } from '../../lambda/hosts/function-url-event.ts';
import { parseObject, refuseEncoded } from '../../lambda/http/body.ts';
import { isSampled, traceHeaders as traceHeadersOf } from '../../lambda/http/request.ts';
import { matchRoute, type Route } from '../../lambda/http/routes.ts';
import { readInvokeRequest as readFields } from '../../lambda/protocols/invoke-request.ts';
import { FUZZ, token } from '../fixtures/arbitraries.ts';

const SESSION_ID = 'a'.repeat(33);
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MAX = 1_048_576;

const base64 = (text: string): FunctionUrlEvent => ({
  body: Buffer.from(text).toString('base64'),
  isBase64Encoded: true,
});

const requestOf = (event: FunctionUrlEvent | null, traceId?: string) =>
  toRequest(event, { requestId: 'request-1', traceId });
const traceHeaders = (event: FunctionUrlEvent, traceId?: string) => traceHeadersOf(requestOf(event, traceId));

function routeOf(event: FunctionUrlEvent | null): Route {
  const { method, path } = requestOf(event);
  return matchRoute(method, path);
}

function readInvokeRequest(event: FunctionUrlEvent | null, max: number): InvokeRequest {
  const { headers, body } = requestOf(event);
  refuseEncoded(headers['content-encoding']);
  return readFields(parseObject(body() as string), { maxPromptBytes: max, takesRun: () => false });
}

const read = (body: string, max = MAX) => readInvokeRequest({ body }, max);

describe('an invoke request', () => {
  test('is read from a plain or a base64 body', () => {
    const sent = { agentId: 'mwc', prompt: 'héllo 🙂\n', sessionId: SESSION_ID };
    const body = JSON.stringify(sent);
    const request = { ...sent, promptBytes: 12 };

    expect(read(body)).toEqual(request);
    expect(readInvokeRequest({ body, isBase64Encoded: false }, MAX)).toEqual(request);
    expect(readInvokeRequest(base64(body), MAX)).toEqual(request);
  });

  test('may hold any string as its prompt, untouched', () => {
    fc.assert(
      fc.property(token, (prompt) => {
        fc.pre(prompt !== '');
        const body = JSON.stringify({ agentId: 'mwc', prompt });

        expect(read(body).prompt).toBe(prompt);
        expect(readInvokeRequest(base64(body), MAX).prompt).toBe(prompt);
      }),
      FUZZ,
    );
  });

  test('may have unknown fields, which are ignored', () => {
    const body = JSON.stringify({
      agentId: 'mwc',
      prompt: 'x',
      host: 'evil.example.com',
      qualifier: 'other',
    });

    expect(Object.keys(read(body)).sort()).toEqual(['agentId', 'prompt', 'promptBytes', 'sessionId']);
  });

  test.each<[string, unknown]>([
    ['absent', undefined],
    ['null', null],
    ['too short', 'short'],
    ['a number', 5],
    ['an object', {}],
  ])('gets a new session when its session id is %s', (_what, sessionId) => {
    expect(read(JSON.stringify({ agentId: 'mwc', prompt: 'x', sessionId })).sessionId).toMatch(UUID_V4);
  });
});

describe('a byte order mark before the body is skipped', () => {
  const body = `\uFEFF${JSON.stringify({ agentId: 'mwc', prompt: '\uFEFFkept' })}`;

  test.each<[string, FunctionUrlEvent]>([
    ['as text', { body }],
    ['as base64', base64(body)],
  ])('%s', (_what, event) => {
    expect(readInvokeRequest(event, MAX)).toMatchObject({ agentId: 'mwc', prompt: '\uFEFFkept' });
  });

  test('once: a second one is no JSON', () => {
    expect(() => read(`\uFEFF${body}`)).toThrow(/got invalid JSON/);
    expect(() => readInvokeRequest(base64(`\uFEFF${body}`), MAX)).toThrow(/got invalid JSON/);
  });
});

describe('a compressed body is 415, and its encoding is named', () => {
  const body = JSON.stringify({ agentId: 'mwc', prompt: 'x' });
  const refusal = (message: string) =>
    expect.objectContaining({
      code: 'UnsupportedEncoding',
      status: 415,
      message,
      headers: { 'Accept-Encoding': 'identity' },
      details: { fields: ['Content-Encoding'], sessionId: expect.stringMatching(UUID_V4) },
    });

  test.each([
    ['gzip', 'gzip', 'gzip'],
    ['br between blanks', ' br ', 'br'],
    ['x-gzip', 'x-gzip', 'x-gzip'],
    ['two', 'gzip, identity', 'gzip'],
    ['markup', '<script>', 'another'],
    ['a long one', 'x'.repeat(9999), 'x'.repeat(20)],
  ])('%s', (_what, encoding, named) => {
    const event = { headers: { 'content-encoding': encoding }, body: 'H4sIAAAA', isBase64Encoded: true };

    expect(() => readInvokeRequest(event, MAX)).toThrow(
      refusal(`"Content-Encoding": expected none, got ${named}`),
    );
  });

  test.each(['', ' ', 'identity', 'Identity'])('%j is none', (encoding) => {
    expect(readInvokeRequest({ headers: { 'content-encoding': encoding }, body }, MAX).prompt).toBe('x');
  });
});

describe('a body that is not a JSON object is 400 and names body', () => {
  test.each<[string, FunctionUrlEvent, RegExp]>([
    ['absent', {}, /expected a JSON object, got nothing/],
    ['empty', { body: '' }, /expected a JSON object, got nothing/],
    ['empty base64', { body: '', isBase64Encoded: true }, /expected a JSON object, got nothing/],
    ['null, marked as base64', { body: null, isBase64Encoded: true }, /expected a JSON object, got nothing/],
    ['an object, not text', { body: { agentId: 'mwc' } }, /expected text, got an object/],
    ['a number, not text', { body: 7, isBase64Encoded: true }, /expected text, got a number/],
    ['words', { body: 'hello' }, /expected a JSON object, got invalid JSON/],
    ['broken off', { body: '{"agentId":"mwc","prom' }, /got invalid JSON/],
    ['a form', { body: 'agentId=mwc&prompt=x' }, /got invalid JSON/],
    ['a trailing comma', { body: '{"agentId":"mwc","prompt":"x",}' }, /got invalid JSON/],
    ['null', { body: 'null' }, /expected a JSON object, got null/],
    ['an array', { body: '[{"agentId":"mwc","prompt":"x"}]' }, /expected a JSON object, got an array/],
    ['a string', { body: '"x"' }, /expected a JSON object, got a string/],
    ['a number', { body: '42' }, /expected a JSON object, got a number/],
    ['true', { body: 'true' }, /expected a JSON object, got a boolean/],
    [
      'not base64',
      { body: '{"agentId":"mwc"}', isBase64Encoded: true },
      /expected base64, got invalid base64/,
    ],
    [
      'base64 of a wrong length',
      { body: 'e30', isBase64Encoded: true },
      /expected base64, got invalid base64/,
    ],
    [
      'base64 with padding inside',
      { body: 'e3=0e30=', isBase64Encoded: true },
      /expected base64, got invalid base64/,
    ],
    [
      'base64 with a line break',
      { body: 'e30=\n', isBase64Encoded: true },
      /expected base64, got invalid base64/,
    ],
    ['base64url', { body: 'e-_0', isBase64Encoded: true }, /expected base64, got invalid base64/],
    [
      'base64 of no UTF-8',
      { body: Buffer.from([0xff, 0xfe]).toString('base64'), isBase64Encoded: true },
      /expected UTF-8, got invalid UTF-8/,
    ],
    ['base64 of words', base64('hello'), /expected a JSON object, got invalid JSON/],
  ])('%s', (_what, event, message) => {
    const refused = expect.objectContaining({
      code: 'BadRequest',
      status: 400,
      message: expect.stringMatching(message),
      details: expect.objectContaining({ fields: ['body'] }),
    });

    expect(() => readInvokeRequest(event, MAX)).toThrow(refused);
    expect(() => readInvokeRequest(event, MAX)).toThrow(/"body"/);
  });
});

describe('a missing or wrong field is 400 and is named', () => {
  test.each<[string, string, string, RegExp]>([
    ['no agentId', '{"prompt":"secret"}', 'agentId', /expected a non-empty string, got nothing/],
    ['an empty agentId', '{"agentId":"","prompt":"secret"}', 'agentId', /got an empty string/],
    ['agentId null', '{"agentId":null,"prompt":"secret"}', 'agentId', /got null/],
    ['agentId 5', '{"agentId":5,"prompt":"secret"}', 'agentId', /got a number/],
    ['agentId in an array', '{"agentId":["mwc"],"prompt":"secret"}', 'agentId', /got an array/],
    ['no prompt', '{"agentId":"mwc"}', 'prompt', /expected a non-empty string, got nothing/],
    ['an empty prompt', '{"agentId":"mwc","prompt":""}', 'prompt', /got an empty string/],
    ['prompt null', '{"agentId":"mwc","prompt":null}', 'prompt', /got null/],
    ['prompt true', '{"agentId":"mwc","prompt":true}', 'prompt', /got a boolean/],
    ['prompt in an object', '{"agentId":"mwc","prompt":{"text":"secret"}}', 'prompt', /got an object/],
    ['neither', '{}', 'agentId', /got nothing/],
    ['both only in __proto__', '{"__proto__":{"agentId":"mwc","prompt":"secret"}}', 'agentId', /got nothing/],
    [
      'both only in constructor.prototype',
      '{"constructor":{"prototype":{"agentId":"mwc","prompt":"secret"}}}',
      'agentId',
      /got nothing/,
    ],
  ])('%s', (_what, body, field, message) => {
    const refused = expect.objectContaining({
      code: 'BadRequest',
      message: expect.stringMatching(message),
      details: { fields: [field], sessionId: expect.stringMatching(UUID_V4) },
    });

    expect(() => read(body)).toThrow(refused);
    expect(() => read(body)).toThrow(new RegExp(`"${field}"`));
    expect(() => read(body)).not.toThrow(/secret/);
  });

  test('the session id of the request is kept in the error', () => {
    expect(() => read(JSON.stringify({ agentId: 'mwc', sessionId: SESSION_ID }))).toThrow(
      expect.objectContaining({ details: { fields: ['prompt'], sessionId: SESSION_ID } }),
    );
  });

  test('reading __proto__ leaves every other object as it was', () => {
    expect(() =>
      read('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    ).toThrow();

    expect({}).not.toHaveProperty('polluted');
  });
});

describe('a prompt that is too long is 413', () => {
  test.each([
    ['as many bytes as it may', 'x'.repeat(10), true],
    ['a byte more', 'x'.repeat(11), false],
    ['as many bytes as it may, of two each', 'é'.repeat(5), true],
    ['fewer characters, more bytes', 'é'.repeat(6), false],
    ['fewer characters, far more bytes', '🙂🙂🙂', false],
  ])('%s', (_what, prompt, isAccepted) => {
    const body = JSON.stringify({ agentId: 'mwc', prompt });

    if (isAccepted) expect(read(body, 10).prompt).toBe(prompt);
    else {
      expect(() => read(body, 10)).toThrow(
        expect.objectContaining({
          code: 'PayloadTooLarge',
          status: 413,
          details: expect.objectContaining({ fields: ['prompt'] }),
        }),
      );
    }
  });

  test('the message says how many bytes there may be and how many there were, not which', () => {
    expect(() => read(JSON.stringify({ agentId: 'mwc', prompt: 'secret words' }), 10)).toThrow(
      /^"prompt": expected at most 10 bytes of UTF-8, got 12$/,
    );
  });
});

test('any event is read, or refused with a code', () => {
  const anything = fc.anything();
  const event = fc.record(
    {
      rawPath: fc.oneof(fc.constantFrom('/', '/health'), anything),
      requestContext: fc.oneof(
        anything,
        fc.record({ http: fc.oneof(anything, fc.record({ method: anything })) }),
      ),
      headers: fc.oneof(
        anything,
        fc.record(
          { accept: anything, traceparent: anything, 'content-encoding': anything },
          { requiredKeys: [] },
        ),
      ),
      body: fc.oneof(fc.string(), fc.json(), fc.base64String(), anything),
      isBase64Encoded: fc.oneof(fc.boolean(), anything),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<FunctionUrlEvent>;
  const outcomeOf = (read: () => unknown) => {
    try {
      return read();
    } catch (thrown) {
      return thrown;
    }
  };
  const refused = expect.objectContaining({ code: expect.stringMatching(/^[A-Z]/) });
  fc.assert(
    fc.property(event, (came) => {
      const request = outcomeOf(() => readInvokeRequest(came, MAX));
      const route = outcomeOf(() => routeOf(came));

      if (!Object.hasOwn(request as object, 'prompt')) expect(request).toEqual(refused);
      if (!Object.hasOwn(route as object, 'name') || route instanceof Error) expect(route).toEqual(refused);
      for (const value of Object.values(traceHeaders(came))) expect(value).toEqual(expect.any(String));
      expect([undefined, expect.any(String)]).toContainEqual(requestOf(came).headers.accept);
    }),
    FUZZ,
  );
});

describe('the route of an event', () => {
  test('is found by method and raw path', () => {
    const event = { rawPath: '/health', requestContext: { http: { method: 'GET' } } };

    expect(routeOf(event)).toEqual({ name: 'health' });
  });

  test.each<[string, FunctionUrlEvent]>([
    ['nothing', {}],
    ['no method', { rawPath: '/', requestContext: {} }],
    ['null for a context', { rawPath: '/', requestContext: null }],
    ['null for a request', { rawPath: '/', requestContext: { http: null } }],
    ['a method that is no text', { rawPath: '/', requestContext: { http: { method: 7 } } }],
    ['a path that is no text', { rawPath: 7, requestContext: { http: { method: 'PUT' } } }],
  ])('of an event that has %s is refused, not a crash', (_what, event) => {
    expect(() => routeOf(event)).toThrow(expect.objectContaining({ code: 'MethodNotAllowed' }));
  });
});

describe('trace headers for the agent', () => {
  const sampled =
    'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0';
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  test('pass on the trace of a sampled invocation', () => {
    expect(traceHeaders({}, sampled)).toEqual({ 'x-amzn-trace-id': sampled });
  });

  test.each([
    ['none', undefined],
    ['one that is not sampled', sampled.replace('Sampled=1', 'Sampled=0')],
    ['one that does not say', 'Root=1-5759e988-bd862e3fe1be46a994272793'],
    ['one that asks', sampled.replace('Sampled=1', 'Sampled=?')],
    ['an empty one', ''],
    ['one longer than AgentCore takes', `${sampled};${'x'.repeat(128)}`],
  ])('hold no X-Ray trace when there is %s', (_what, traceId) => {
    expect(traceHeaders({}, traceId)).toEqual({});
    expect(isSampled(traceId)).toBe(false);
  });

  test("never pass on a caller's own X-Ray header", () => {
    const event = { headers: { 'x-amzn-trace-id': sampled } };

    expect(traceHeaders(event)).toEqual({});
  });

  test.each([traceparent, traceparent.replace(/01$/, '00'), traceparent.replace(/^00/, '01')])(
    'pass on a traceparent of the W3C form: %s',
    (value) => {
      expect(traceHeaders({ headers: { traceparent: value } }, sampled)).toEqual({
        'x-amzn-trace-id': sampled,
        traceparent: value,
      });
    },
  );

  test.each([
    '',
    'x',
    traceparent.toUpperCase(),
    `${traceparent} `,
    `${traceparent}\r\nx-evil: 1`,
    `${traceparent}\n`,
    `${traceparent}-more`,
    traceparent.replace(/^00/, 'ff'),
    traceparent.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
    traceparent.replace('00f067aa0ba902b7', '0'.repeat(16)),
    traceparent.slice(0, -1),
    7,
    null,
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ])('leave out any other: %j', (value) => {
    expect(traceHeaders({ headers: { traceparent: value } })).toEqual({});
  });

  test.each([null, undefined])('are none where the headers are %s', (headers) => {
    expect(traceHeaders({ headers } as FunctionUrlEvent)).toEqual({});
    expect(requestOf({ headers } as FunctionUrlEvent).headers.accept).toBeUndefined();
  });
});
