import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { DENIED_STACK, FAILED_STACK, LOCAL_STACK, THROTTLED_STACK } from '../../local/aws/cloudformation.ts';
import {
  post,
  puppet,
  request,
  runtimeArn,
  startOwn,
  system,
  usePuppetSystem,
} from '../fixtures/puppet-system.ts';

usePuppetSystem();

describe('routes', () => {
  test.each([
    ['/', {}, 'text/event-stream; charset=utf-8'],
    ['/api', {}, 'text/event-stream; charset=utf-8'],
    ['/api/', {}, 'text/event-stream; charset=utf-8'],
    ['/api/agents/invoke', {}, 'application/json'],
    ['/api/agents/invoke/', {}, 'application/json'],
    ['/', { accept: 'application/json' }, 'application/json'],
    ['/', { accept: 'text/event-stream;q=0.4, application/json;q=0.5' }, 'application/json'],
    ['/', { accept: 'application/json;q=0.2, */*' }, 'application/json'],
    ['/', { accept: 'text/html' }, 'text/event-stream; charset=utf-8'],
    ['/', { accept: 'text/event-stream, application/json' }, 'text/event-stream; charset=utf-8'],
    ['/api/agents/invoke', { accept: 'text/event-stream' }, 'text/event-stream; charset=utf-8'],
    ['/api/agents/invoke', { accept: 'text/event-stream, application/json' }, 'application/json'],
  ])('POST %s with %j answers %s', async (path, headers, contentType) => {
    const response = await post(path, request(), headers as Record<string, string>);

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(contentType);
    expect(await response.text()).toContain('fine');
  });

  test('GET /health, the list and the status of agents have the shapes of docs/openapi.yaml', async () => {
    const get = async (path: string) => (await fetch(system.url + path)).json();

    expect(await get('/health')).toEqual({
      status: 'healthy',
      timestamp: expect.any(String),
      environment: 'local',
    });
    expect(await get('/api/agents/list')).toEqual({
      agents: [
        {
          id: 'puppet',
          name: 'PuppetAgent',
          description: 'does as it is told',
          arn: runtimeArn,
          aliasId: 'DEFAULT',
          capabilities: ['all'],
        },
      ],
    });
    const available = { status: 'available', arn: runtimeArn };
    expect(await get('/api/agents/status/puppet')).toEqual({ agentId: 'puppet', ...available });
    expect(await get(`/api/agents/status/${encodeURIComponent(runtimeArn)}`)).toMatchObject(available);
    expect(await get(`/api/agents/status/${runtimeArn}`)).toMatchObject(available);
    expect(await get('/api/agents/status/nobody')).toEqual({
      agentId: 'nobody',
      status: 'unknown',
      arn: '',
      errorMessage: expect.any(String),
    });
  });

  test.each([
    ['GET', '/', 405, 'POST'],
    ['HEAD', '/', 405, 'POST'],
    ['PUT', '/api/agents/invoke', 405, 'POST'],
    ['POST', '/health', 405, 'GET, HEAD'],
    ['DELETE', '/api/agents/list', 405, 'GET, HEAD'],
    ['GET', '/nowhere', 404, null],
    ['POST', '/nowhere', 404, null],
    ['POST', '/api/agents', 404, null],
    ['POST', '/api/agents/status/puppet', 405, 'GET, HEAD'],
    ['GET', '/api//health', 404, null],
    ['GET', '/api/%61gents/list', 404, null],
    ['GET', '/api/agents/../list', 404, null],
    ['GET', '/api/agents/status/', 404, null],
    ['GET', '/api/agents/status/a/b', 404, null],
  ])('%s %s is %i, and nothing reaches an agent', async (method, path, status, allow) => {
    const before = puppet.prompts.length;
    const hasBody = !['GET', 'HEAD'].includes(method);

    const response = await fetch(system.url + path, { method, ...(hasBody && { body: request() }) });

    expect(puppet.prompts).toHaveLength(before);
    expect(response.status).toBe(status);
    expect(response.headers.get('allow')).toBe(allow);
    if (method !== 'HEAD') {
      expect(await response.json()).toMatchObject({
        error: status === 404 ? 'NotFound' : 'MethodNotAllowed',
        retryable: false,
        promptSent: false,
      });
    }
  });
});

describe('a door that newcomers meet', () => {
  test.each(['//api/agents/list', '///health/'])('%s, as of a URL that ends in a slash', async (path) => {
    expect((await fetch(system.url + path)).status).toBe(200);
  });

  test('a prompt to //api reaches the agent', async () => {
    expect(await (await post('//api', request())).text()).toContain('fine');
  });

  test.each([
    ['/health', 200],
    ['/api/agents/list', 200],
    ['/api/agents/status/puppet', 200],
    ['/nowhere', 404],
    ['/api/stacks/status/nothing', 404],
  ])('HEAD %s has the status and headers of GET, and no body', async (path, status) => {
    const ofGet = await fetch(system.url + path);
    await ofGet.text();
    const { hostname, port } = new URL(system.url);
    const socket = connect(Number(port), hostname);

    socket.write(`HEAD ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);

    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\r\n\r\n$`, 's'));
    expect(answer).toMatch(/^content-type: application\/json\r$/im);
    expect(ofGet.status).toBe(status);
  });

  test('a compressed body is 415, and nothing reaches an agent', async () => {
    const before = puppet.prompts.length;

    const response = await post('/', gzipSync(request()), {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    });

    expect([response.status, response.headers.get('accept-encoding')]).toEqual([415, 'identity']);
    expect(await response.json()).toMatchObject({
      error: 'UnsupportedEncoding',
      message: expect.stringContaining('gzip'),
      details: { fields: ['Content-Encoding'] },
      promptSent: false,
    });
    expect(puppet.prompts).toHaveLength(before);
  });

  test.each([
    ['text', 'application/json'],
    ['bytes', 'application/octet-stream'],
  ])('a body with a byte order mark, as %s, is answered', async (_as, contentType) => {
    const body = Buffer.from(`\uFEFF${request()}`);

    expect(await (await post('/', body, { 'content-type': contentType })).text()).toContain('fine');
  });
});

describe('the status of a stack', () => {
  const get = (name: string) => fetch(`${system.url}/api/stacks/status/${name}`);

  test('has the shape of docs/openapi.yaml in each of its states', async () => {
    const states: unknown[] = [];
    for (let i = 0; i < 3; i += 1) states.push(await (await get(LOCAL_STACK)).json());

    expect(states[0]).toEqual({
      stackName: LOCAL_STACK,
      stackId: expect.stringContaining(LOCAL_STACK),
      status: 'CREATE_IN_PROGRESS',
      resources: [
        {
          logicalId: 'Content',
          physicalId: '',
          type: 'AWS::S3::Bucket',
          status: 'CREATE_IN_PROGRESS',
          timestamp: '2026-01-29T10:00:00.000Z',
        },
      ],
      outputs: {},
      events: [
        {
          timestamp: '2026-01-29T10:00:00.000Z',
          resourceType: 'AWS::S3::Bucket',
          logicalId: 'Content',
          status: 'CREATE_IN_PROGRESS',
        },
      ],
      creationTime: '2026-01-29T10:00:00.000Z',
    });
    expect(states[1]).toMatchObject({
      status: 'CREATE_IN_PROGRESS',
      resources: [{ status: 'CREATE_COMPLETE' }],
    });
    expect(states[2]).toMatchObject({ status: 'CREATE_COMPLETE', outputs: { Url: 'https://example.com' } });
  });

  test('says when and why an update failed, and has its latest fifty events', async () => {
    const stack = (await (await get(FAILED_STACK)).json()) as { events: { timestamp: string }[] };

    const reason = 'Bucket "a&b" already exists';
    expect(stack).toMatchObject({
      status: 'UPDATE_ROLLBACK_COMPLETE',
      creationTime: '2026-01-29T10:00:00.000Z',
      lastUpdatedTime: '2026-01-30T10:00:00.000Z',
      resources: [{ status: 'UPDATE_FAILED', statusReason: reason }],
      outputs: {},
    });
    expect(stack.events).toHaveLength(50);
    expect(stack.events[0]).toEqual({
      timestamp: '2026-01-30T10:00:00.000Z',
      resourceType: 'AWS::S3::Bucket',
      logicalId: 'Content',
      status: 'UPDATE_FAILED',
      reason,
    });
    expect(stack.events.at(-1)?.timestamp).toBe('2026-01-30T09:59:11.000Z');
  });

  test.each([
    ['agent-no-such-stack', 404, 'NotFound'],
    [DENIED_STACK, 403, 'AccessDenied'],
    [THROTTLED_STACK, 429, 'Throttled'],
    ['another-prefix', 404, 'NotFound'],
    ['1-invalid', 400, 'BadRequest'],
    ['agent_invalid', 400, 'BadRequest'],
    ['%E0%A4%A', 400, 'BadRequest'],
  ])('of %s is %i', async (name, status, error) => {
    const response = await get(name);

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error });
  });

  test('is 404 where the route is off', async () => {
    const { url } = await startOwn({ STACK_STATUS_PREFIX: '' });

    const response = await fetch(`${url}/api/stacks/status/${LOCAL_STACK}`);

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: 'NotFound' });
  });
});
