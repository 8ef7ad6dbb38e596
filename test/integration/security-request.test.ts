import { connect as tcpConnect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { SETTINGS } from '../../lambda/settings.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import {
  ESC,
  elsewhereConnections,
  elsewhereHost,
  eventOf,
  expectKnownHeaders,
  expectSoundLogs,
  idle,
  invokeEvent,
  invokeJson,
  newLogs,
  ok,
  puppet,
  runtimeArn,
  send,
  summaryLogged,
  system,
  useExposedSystem,
} from '../fixtures/exposed-system.ts';
import { invokeSse, newSessionId } from '../fixtures/sse.ts';
import { testOn } from '../fixtures/test-on.ts';

useExposedSystem();

describe('a header of the caller', () => {
  // Some of them no HTTP client sends, and no server takes.
  testOn('function-url').each([
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx-forged: 1'],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n'],
    ['accept', 'text/event-stream\r\nx-forged: 1'],
    ['cookie', 'a=b\r\nx-forged: 1'],
    ['content-type', 'application/json\r\nx-forged: 1'],
    ['x-amzn-bedrock-agentcore-runtime-session-id', 'somebody-elses-session-0123456789abcdef'],
    ['x-amz-security-token', 'forged'],
    ['authorization', 'forged'],
    ['origin', 'https://forged.example'],
  ])('%s does not pass to the agent: %j', async (name, value) => {
    const asked = puppet.upgrades.length;

    const answer = await invokeEvent(eventOf({ [name]: value }));

    expect(answer).toContain('"chunk":"fine"');
    expect(puppet.upgrades).toHaveLength(asked + 1);
    expect(JSON.stringify(puppet.upgrades.at(-1))).not.toMatch(/forged|somebody-elses/);
    expect(JSON.stringify(system.dataPlane.requests.at(-1)?.headers)).not.toMatch(
      /forged|somebody-elses|\\n/,
    );
    expectSoundLogs();
  });

  testOn('function-url').each(['accept', 'traceparent', 'cookie', 'x-anything'])(
    '%s may be of any length',
    async (name) => {
      const startedAt = performance.now();

      const answer = await invokeEvent(eventOf({ [name]: 'text/event-stream;q=0.1,'.repeat(100_000) }));

      expect(answer).toContain('"chunk":"fine"');
      expect(performance.now() - startedAt).toBeLessThan(3000);
      expect(JSON.stringify(puppet.upgrades.at(-1)).length).toBeLessThan(4000);
    },
  );

  test('that is over the limit of the front end is refused there', async () => {
    expect((await send('/health', { headers: { accept: 'a'.repeat(20_000) } })).status).toBe(431);
  });
});

describe('a session id', () => {
  test.each([
    `${newSessionId()}\r\nx-forged: 1`,
    `${newSessionId()}\n{"forged":true}`,
    `${newSessionId()}\u2028{"forged":true}`,
    `${newSessionId()}${ESC}[31m`,
    `${newSessionId()}\0`,
    `../../${newSessionId()}`,
    `${newSessionId()} ${newSessionId()}`,
    `${newSessionId()}\u0130`,
    'a'.repeat(257),
    '-'.repeat(40),
  ])('that is none is replaced, and stands nowhere: %j', async (sessionId) => {
    const answer = await invokeSse(system.url, { agentId: 'puppet', prompt: ok, sessionId });

    const minted = String(answer.headers.get('x-session-id'));
    expect(minted).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(puppet.prompts.at(-1)?.sessionId).toBe(minted);
    expect(answer.text).toBe('fine');
    await summaryLogged();
    expectSoundLogs();
    expect(JSON.stringify(newLogs())).not.toContain(sessionId.slice(0, 40));
  });
});

describe('a body', () => {
  test.each([
    ['with __proto__', '{"__proto__":{"agentId":"puppet","prompt":"[]"}}'],
    ['with constructor', '{"constructor":{"prototype":{"agentId":"puppet","prompt":"[]"}}}'],
    ['of brackets', '['.repeat(1_000_000)],
    ['of open objects', '{"a":'.repeat(200_000)],
    ['with an object as the agent', '{"agentId":{"toString":"puppet"},"prompt":"[]"}'],
    ['with a list as the prompt', '{"agentId":"puppet","prompt":["[]"]}'],
    ['that is null', 'null'],
    ['with a NUL behind it', '{"agentId":"puppet","prompt":"[]"}\0'],
  ])('%s is 400', async (_what, body) => {
    const answer = await send('/', { method: 'POST', body });

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'BadRequest', promptSent: false });
    expect(answer.body.length).toBeLessThan(500);
    expect(Object.prototype).not.toHaveProperty('agentId');
  });

  test('with __proto__ beside what is needed is answered as without it', async () => {
    const body = `{"__proto__":{"sessionId":"forged"},"constructor":1,"agentId":"puppet","prompt":${JSON.stringify(ok)}}`;

    const answer = await send('/api/agents/invoke', { method: 'POST', body });

    expect(JSON.parse(answer.body)).toMatchObject({ response: 'fine' });
    expect(Object.keys(puppet.prompts.at(-1) ?? {})).toEqual(['prompt', 'sessionId']);
  });

  test('over a limit is 413', async () => {
    expect(
      (await invokeJson({ agentId: 'puppet', prompt: 'x'.repeat(SETTINGS.maxPromptBytes.default + 1) }))
        .status,
    ).toBe(413);
    expect((await invokeJson({ agentId: 'puppet', prompt: 'x'.repeat(7_000_000) })).status).toBe(413);
  });
});

describe('a path', () => {
  test.each([
    '//nowhere',
    '/health//',
    '/health/.',
    '/./health',
    '/api/../health',
    '/%2e%2e/health',
    '/%68ealth',
    '/health%00',
    '/health;a=b',
    '/health%2f',
    '/HEALTH',
    '/api%2fagents%2flist',
    '/api/agents/status/a/b',
    '/api/agents/status/',
    '/api/stacks/status/agent-a/../b',
    '/api/stacks/status/other-stack',
    '/__proto__',
    '/constructor',
    '/toString',
    '/dist/lambda/index.mjs',
    '/..%2f..%2fetc/passwd',
  ])('%s is 404', async (path) => {
    const answer = await send(path);

    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toMatchObject({
      error: 'NotFound',
      message: expect.stringMatching(/^no such/),
    });
    expectKnownHeaders(answer.headers);
  });

  test.each(['%0d%0ax-forged:1', '%00', '..%2f..%2fhealth', '__proto__', 'constructor', '%ff', '%1b%5b31m'])(
    '/api/agents/status/%s is an agent that is not known',
    async (id) => {
      const answer = await send(`/api/agents/status/${id}`);

      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ status: 'unknown', arn: '' });
      expectKnownHeaders(answer.headers);
      await summaryLogged();
      expectSoundLogs();
    },
  );

  test.each(['agent-%0d%0ax', 'agent-..%2f..', 'agent-%00', 'agent-*', '%2a', 'arn:aws:cloudformation:x'])(
    '/api/stacks/status/%s is 400',
    async (name) => {
      expect((await send(`/api/stacks/status/${name}`)).status).toBe(400);
    },
  );
});

describe('no part of a request chooses a host', () => {
  const OTHER_ARN = 'arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/Puppet-0123456789';

  test.each([
    ['a URL', () => `http://${elsewhereHost}/`],
    ['a network path', () => `//${elsewhereHost}/ws`],
    ['an ARN of another region', () => OTHER_ARN],
    ['an ARN of another account', () => runtimeArn.replace('111122223333', '999999999999')],
    ['an ARN with a host for a region', () => runtimeArn.replace('us-east-1', `${elsewhereHost}/#`)],
    ['an ARN with user information', () => runtimeArn.replace('us-east-1', `a@${elsewhereHost}`)],
    ['an ARN with more behind it', () => `${runtimeArn}/runtime-endpoint/x`],
    ['the configured ARN in capitals', () => runtimeArn.toUpperCase()],
    ['a path', () => '../../etc/passwd'],
    ['__proto__', () => '__proto__'],
    ['an index', () => '0'],
  ])('%s as the agent is refused, and nothing is asked', async (_what, agentId) => {
    const asked = system.dataPlane.requests.length;
    await idle();

    const answer = await invokeJson({ agentId: agentId(), prompt: ok });
    const status = await send(`/api/agents/status/${encodeURIComponent(agentId())}`);

    expect([400, 404]).toContain(answer.status);
    expect(JSON.parse(status.body)).toMatchObject({ status: 'unknown' });
    expect(system.dataPlane.requests).toHaveLength(asked);
    expect(elsewhereConnections).toBe(0);
  });

  test.each([
    ['Host', () => ({ host: elsewhereHost })],
    ['X-Forwarded-Host', () => ({ 'x-forwarded-host': elsewhereHost, forwarded: `host=${elsewhereHost}` })],
    ['Origin and Referer', () => ({ origin: `http://${elsewhereHost}`, referer: `http://${elsewhereHost}` })],
  ])('%s is not read', async (_name, headers) => {
    const { status } = await invokeJson(
      { agentId: 'puppet', prompt: ok, endpoint: elsewhereHost },
      headers(),
    );

    expect(status).toBe(200);
    expect(system.dataPlane.requests.at(-1)?.headers.host).toBe(new URL(system.dataPlane.url).host);
    expect(elsewhereConnections).toBe(0);
  });

  test('an absolute request target is no route', async () => {
    const { hostname, port } = new URL(system.url);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = tcpConnect(Number(port), hostname, () => {
        socket.write(
          `GET http://${elsewhereHost}/health HTTP/1.1\r\nHost: ${elsewhereHost}\r\nConnection: close\r\n\r\n`,
        );
      });
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      socket.on('close', () => resolve(text));
    });

    expect(answer).toMatch(/^HTTP\/1\.1 404/);
    expect(elsewhereConnections).toBe(0);
  });

  test.each([301, 302, 307, 308])('a redirect of AgentCore (%s) is not followed', async (status) => {
    const headers = { location: `http://${elsewhereHost}/` };
    for (const agentId of ['puppet', 'http']) {
      system.dataPlane.fault(runtimeArn, FAULTS.refuse(status, undefined, 'moved', { headers }));

      expect((await invokeJson({ agentId, prompt: ok })).status).toBe(502);
    }
    expect(elsewhereConnections).toBe(0);
  });
});

describe('an agent that is not known', () => {
  test.each([
    `puppet\n{"forged":true}`,
    `arn:\r\n{"forged":true}`,
    `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${ESC}[31m\0`,
    `arn:${'x'.repeat(500_000)}`,
  ])('forges no log line, and is not echoed at length', async (agentId) => {
    const answer = await invokeJson({ agentId, prompt: ok });

    expect([400, 404]).toContain(answer.status);
    expect(answer.body.length).toBeLessThan(1000);
    expectKnownHeaders(answer.headers);
    await summaryLogged();
    expectSoundLogs();
  });
});
