import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ALLOWED_METHODS } from '../../lambda/contract.ts';
import { matchRoute, negotiateFormat, ROUTES, type Route } from '../../lambda/http/routes.ts';
import { FORMATS } from '../../lambda/protocols/protocols.ts';
import { FUZZ, unicode } from '../fixtures/arbitraries.ts';

const SSE_INVOKE: Route = { name: 'invoke', defaultFormat: 'sse' };
const JSON_INVOKE: Route = { name: 'invoke', defaultFormat: 'json' };
const ARN = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/a-0123456789';

describe('every route of the contract', () => {
  test.each<[string, string, Route]>([
    ['POST', '/', SSE_INVOKE],
    ['POST', '/api', SSE_INVOKE],
    ['POST', '/api/agents/invoke', JSON_INVOKE],
    ['GET', '/api/agents/list', { name: 'list' }],
    ['GET', '/api/agents/status/mwc', { name: 'agentStatus', agentId: 'mwc' }],
    ['GET', '/api/stacks/status/my-stack', { name: 'stackStatus', stackName: 'my-stack' }],
    ['GET', '/health', { name: 'health' }],
    ['POST', '/api/chat', { name: 'invoke', protocol: 'ui-message-stream' }],
    ['POST', '/api/agents/mwc/chat', { name: 'invoke', protocol: 'ui-message-stream', agentId: 'mwc' }],
    ['POST', `/api/agents/${ARN}/chat`, { name: 'invoke', protocol: 'ui-message-stream', agentId: ARN }],
    ['GET', '/api/chat/c%2F1/stream', { name: 'chatStream', chatId: 'c/1' }],
    ['POST', '/api/agents/mwc/sessions', { name: 'beginSession', agentId: 'mwc' }],
    ['GET', '/api/agents/mwc/sessions/s1', { name: 'sessionState', agentId: 'mwc', sessionId: 's1' }],
    ['DELETE', '/api/agents/mwc/sessions/s1', { name: 'endSession', agentId: 'mwc', sessionId: 's1' }],
    ['GET', '/api/agents/mwc/sessions/s1/stream', { name: 'sessionStream', agentId: 'mwc', sessionId: 's1' }],
    ['POST', '/api/agents/mwc/sessions/s1/stop', { name: 'stopAnswer', agentId: 'mwc', sessionId: 's1' }],
    ['GET', '/api/agents/mwc/chat/c1/stream', { name: 'chatStream', agentId: 'mwc', chatId: 'c1' }],
    ['POST', '/api/ag-ui', { name: 'invoke', protocol: 'ag-ui' }],
    ['POST', '/api/agents/mwc/ag-ui', { name: 'invoke', protocol: 'ag-ui', agentId: 'mwc' }],
  ])('%s %s, with and without one trailing slash', (method, path, route) => {
    expect(matchRoute(method, path)).toEqual(route);
    if (path !== '/') expect(matchRoute(method, `${path}/`)).toEqual(route);
  });

  // A frontend appends its path to the stack's URL, which ends in a slash.
  test.each([
    ['POST', '//', SSE_INVOKE],
    ['POST', '//api', SSE_INVOKE],
    ['POST', '///api/', SSE_INVOKE],
    ['POST', '//api/agents/invoke', JSON_INVOKE],
    ['GET', '//api/agents/list', { name: 'list' }],
    ['GET', '//health/', { name: 'health' }],
    ['GET', '//api/agents/status/mwc', { name: 'agentStatus', agentId: 'mwc' }],
  ])('%s %s: several leading slashes count as one', (method, path, route) => {
    expect(matchRoute(method, path)).toEqual(route);
  });

  test('answers HEAD as it does GET', () => {
    const ofGet = ROUTES.filter(({ method }) => method === 'GET');

    for (const { path } of ofGet) expect(matchRoute('HEAD', path)).toEqual(matchRoute('GET', path));
    expect(ofGet.length).toBeGreaterThan(3);
  });

  test('has a method that a page may send across origins', () => {
    expect(ROUTES.filter(({ method }) => !(ALLOWED_METHODS as readonly string[]).includes(method))).toEqual(
      [],
    );
  });

  test('an empty path is the root', () => {
    expect(matchRoute('POST', '')).toEqual(SSE_INVOKE);
  });

  test.each([
    ['encoded', encodeURIComponent(ARN)],
    ['as it is', ARN],
  ])('the status of an agent by its ARN, %s', (_how, agentId) => {
    expect(matchRoute('GET', `/api/agents/status/${agentId}`)).toEqual({ name: 'agentStatus', agentId: ARN });
    expect(matchRoute('GET', `/api/agents/status/${agentId}/`)).toEqual({
      name: 'agentStatus',
      agentId: ARN,
    });
  });

  test.each([
    ['%20', ' '],
    ['a%2Fb', 'a/b'],
    ['%2e%2e', '..'],
    ['..', '..'],
    ['%', '%'],
    ['%zz', '%zz'],
    ['%c3%28', '%c3%28'],
    ['__proto__', '__proto__'],
    ['%00', '\0'],
  ])('the name of an agent or stack is data: %s is %j', (raw, decoded) => {
    expect(matchRoute('GET', `/api/agents/status/${raw}`)).toEqual({ name: 'agentStatus', agentId: decoded });
    expect(matchRoute('GET', `/api/stacks/status/${raw}`)).toEqual({
      name: 'stackStatus',
      stackName: decoded,
    });
  });
});

describe('a known path with a wrong method is 405 and says which one is allowed', () => {
  test.each([
    ['/', 'POST'],
    ['/api', 'POST'],
    ['/api/', 'POST'],
    ['/api/agents/invoke', 'POST'],
    ['/api/agents/list', 'GET, HEAD'],
    ['/api/agents/status/mwc', 'GET, HEAD'],
    ['/api/stacks/status/x', 'GET, HEAD'],
    ['/health', 'GET, HEAD'],
    ['/api/chat', 'POST'],
    ['/api/agents/mwc/ag-ui', 'POST'],
    ['/api/chat/c/stream', 'GET, HEAD'],
  ])('%s allows %s', (path, allowed) => {
    for (const method of [
      'GET',
      'POST',
      'HEAD',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'get',
      'post',
      '',
    ]) {
      if (allowed.split(', ').includes(method)) continue;
      expect(() => matchRoute(method, path)).toThrow(
        expect.objectContaining({ code: 'MethodNotAllowed', status: 405, headers: { Allow: allowed } }),
      );
    }
  });

  test('a method that is absurdly long is not repeated', () => {
    expect(() => matchRoute('X'.repeat(10_000), '/')).toThrow(/^.{1,100}$/);
  });
});

describe('anything else is 404', () => {
  test.each([
    '/nothing',
    '/api/agents',
    '/api/agents/',
    '/api/agents/status',
    '/api/agents/status/',
    '/api/agents/status/a/b',
    '/api/stacks/status',
    '/api/stacks/status/',
    '/api/stacks/status/a/b',
    '/api/api/agents/status/mwc',
    '/api//',
    '/api//x',
    '/api//agents/list',
    '/api/agents//list',
    '/health//',
    '/Health',
    '/API',
    '/./health',
    '/api/../health',
    '/%68ealth',
    '/api/agents%2Flist',
    '/api/%2e%2e/health',
    '/api%2F',
    '/%2F',
    '/%2e',
    '/health;x=1',
    '/health%00',
    '/health\0',
    '/health?x=1',
    '\\health',
    'health',
    '/constructor',
    '/__proto__',
    'constructor',
    '__proto__',
    'toString',
  ])('%j', (path) => {
    for (const method of ['GET', 'POST', 'HEAD']) {
      expect(() => matchRoute(method, path)).toThrow(
        expect.objectContaining({ code: 'NotFound', status: 404 }),
      );
    }
  });

  test('any path gives a route, a 404 or a 405', () => {
    const segment = fc.oneof(
      fc.constantFrom(
        '',
        '.',
        '..',
        '%2e',
        '%2F',
        'api',
        'agents',
        'list',
        'status',
        'health',
        'stacks',
        'mwc',
        ARN,
      ),
      unicode(),
    );
    const path = fc.array(segment, { maxLength: 6 }).map((segments) => segments.join('/'));
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST', 'HEAD'), path, (method, rawPath) => {
        let refused: unknown;
        try {
          expect(matchRoute(method, rawPath)).toHaveProperty('name');
        } catch (thrown) {
          refused = thrown;
        }
        if (refused !== undefined) {
          expect(refused).toMatchObject({ code: expect.stringMatching(/^(NotFound|MethodNotAllowed)$/) });
        }
      }),
      FUZZ,
    );
  });
});

describe('the format of an answer', () => {
  test.each<[string | undefined, 'sse' | 'json' | 'default']>([
    [undefined, 'default'],
    ['', 'default'],
    ['text/event-stream', 'sse'],
    ['application/json', 'json'],
    ['TEXT/Event-Stream', 'sse'],
    ['application/json; charset=utf-8', 'json'],
    [' application/json ', 'json'],
    ['text/event-stream, application/json', 'default'],
    ['application/json, text/event-stream', 'default'],
    ['text/event-stream;q=0.5, application/json;q=0.5', 'default'],
    ['text/event-stream;q=0.9, application/json', 'json'],
    ['text/event-stream, application/json;q=0.9', 'sse'],
    ['text/event-stream;q=0.8, application/json;q=0.81', 'json'],
    ['application/json;charset=utf-8;q=0.2, text/event-stream;q=0.3', 'sse'],
    ['application/json;Q=0.2, text/event-stream;q=0.3', 'sse'],
    ['application/json ; q=0.2 , text/event-stream ; q=0.3', 'sse'],
    ['text/event-stream;q=0, application/json;q=0.001', 'json'],
    ['text/event-stream;q=0', 'default'],
    ['text/event-stream;q=0, application/json;q=0', 'default'],
    ['*/*', 'default'],
    ['text/*', 'default'],
    ['application/*', 'default'],
    ['*/*;q=0.1, image/png', 'default'],
    ['text/html', 'default'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'default'],
    ['application/jsonp', 'default'],
    ['application/json+x', 'default'],
    ['nonsense', 'default'],
    [';;,,;q=', 'default'],
    ['__proto__, constructor', 'default'],
  ])('Accept %j gives %s', (accept, format) => {
    expect(negotiateFormat(accept, 'sse', FORMATS)).toBe(format === 'default' ? 'sse' : format);
    expect(negotiateFormat(accept, 'json', FORMATS)).toBe(format === 'default' ? 'json' : format);
  });

  test.each([
    ['text/plain', 'text'],
    ['text/plain;q=0.9, application/json', 'json'],
    ['text/plain, text/event-stream', 'sse'],
    ['text/plain, application/json', 'json'],
  ])('a third format needs no more than its media type: Accept %j gives %s', (accept, format) => {
    const formats = { ...FORMATS, text: { mediaType: 'text/plain' } };
    const defaultFormat = format === 'text' ? 'sse' : (format as 'sse' | 'json');

    expect(negotiateFormat<keyof typeof formats>(accept, defaultFormat, formats)).toBe(format);
  });

  test('any Accept header gives one of the two', () => {
    const part = fc.oneof(
      fc.constantFrom('text/event-stream', 'application/json', ';q=', '0.5', '1', ',', '*/*', ' ', ';'),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 10 }),
        fc.constantFrom<'sse' | 'json'>('sse', 'json'),
        (parts, defaultFormat) => {
          expect(['sse', 'json']).toContain(negotiateFormat(parts.join(''), defaultFormat, FORMATS));
        },
      ),
      FUZZ,
    );
  });

  test('of two quality values the higher one wins', () => {
    const quality = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(
        quality,
        quality,
        fc.constantFrom<'sse' | 'json'>('sse', 'json'),
        (sse, json, defaultFormat) => {
          const accept = `text/event-stream;q=${(sse / 1000).toFixed(3)}, application/json;q=${(json / 1000).toFixed(3)}`;

          const expected = sse === json ? defaultFormat : sse > json ? 'sse' : 'json';

          expect(negotiateFormat(accept, defaultFormat, FORMATS)).toBe(expected);
        },
      ),
      FUZZ,
    );
  });
});
