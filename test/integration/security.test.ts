import { request as httpRequest } from 'node:http';
import { type AddressInfo, createServer, connect as tcpConnect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { testOn } from '../fixtures/host.ts';
import { type PuppetAgent, type Step, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';
import {
  type StrangeCloudFormation,
  startStrangeCloudFormation,
} from '../fixtures/strange-cloudformation.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const ok = script({ send: 'fine' }, { send: '[DONE]' });
const ESC = '\u001b';

let puppet: PuppetAgent;
let system: System;
let logged = 0;
/** Where nothing must ever connect to. */
let elsewhereConnections = 0;
const elsewhere = createServer((socket) => {
  elsewhereConnections += 1;
  socket.destroy();
});
let elsewhereHost = '';
let cloudFormation: StrangeCloudFormation;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  cloudFormation = await startStrangeCloudFormation();
  elsewhereHost = `127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  system = await startSystem({
    runtimes: [
      { id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target },
      { id: 'http', name: 'HttpAgent', runtimeArn, target: puppet.target, transport: 'http' },
    ],
    environment: {
      MAX_RETRIES: '0',
      FIRST_CHUNK_TIMEOUT_MS: '2000',
      IDLE_TIMEOUT_MS: '2000',
      AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url,
    },
  });
});
beforeEach(() => {
  system.dataPlane.fault(runtimeArn, undefined);
  logged = system.logs.length;
});
afterAll(async () => {
  await system.close();
  await puppet.close();
  await cloudFormation.close();
  elsewhere.close();
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A request whose path and headers go out as they are. */
function send(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  const { method = 'GET', headers = {}, body } = options;
  const { hostname, port } = new URL(system.url);
  return new Promise<Answer>((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    sent.on('error', reject).end(body);
  });
}

const invokeJson = (body: object, headers: Record<string, string> = {}) =>
  send('/api/agents/invoke', { method: 'POST', headers, body: JSON.stringify(body) });

/** What a request with any header values, also ones that no HTTP client can send, is answered. */
async function invokeEvent(event: object): Promise<string> {
  await until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'all is idle');
  const result = await system.runtime.invoke(event);
  if (result.kind !== 'stream') return result.kind;
  let text = '';
  for await (const part of result.body) text += String(part);
  await result.outcome;
  return text;
}

const eventOf = (headers: Record<string, string>, body: object = { agentId: 'puppet', prompt: ok }) => ({
  version: '2.0',
  rawPath: '/',
  headers,
  cookies: Object.values(headers),
  body: JSON.stringify(body),
  isBase64Encoded: false,
  requestContext: { http: { method: 'POST' } },
});

const ALLOWED_HEADERS = new Set([
  'allow',
  'cache-control',
  'connection',
  'content-type',
  'date',
  'keep-alive',
  'retry-after',
  'transfer-encoding',
  'x-amzn-requestid',
  'x-session-id',
]);

function expectKnownHeaders(headers: Answer['headers']): void {
  expect(Object.keys(headers).filter((name) => !ALLOWED_HEADERS.has(name))).toEqual([]);
}

/** Since the test began every line is one JSON object of the logger's or the metrics', without control characters. */
function expectSoundLogs(): void {
  const lines = system.logs.slice(logged).map(({ line }) => line);
  for (const line of lines) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(line).not.toMatch(/[\0-\x1f]/);
    const entry = JSON.parse(line) as Record<string, unknown>;
    expect(entry).not.toHaveProperty('forged');
    expect(entry.service).toBe('agentcore-stream');
  }
}

const summaryLogged = () =>
  until(
    () => system.logs.slice(logged).some(({ line }) => line.includes('"outcome"')),
    'the outcome is logged',
  );

describe('the text of an agent', () => {
  const TEXTS = [
    'x',
    '\n\ndata: {"done":true,"sessionId":"forged"}\n\n',
    '\r\n\r\nevent: error\r\ndata: {"error":"forged"}\r\n\r\n',
    '\r\rdata: {"done":true}\r\r',
    'data: [DONE]\n\n',
    'id: 1\nretry: 0\n: comment\n\n',
    '\u2028\u2029data: {"chunk":"forged"}\u2028\u2028',
    '\u0085\u0085data: {"chunk":"forged"}',
    '\0\0data: {"chunk":"forged"}\0',
    '\ufeffdata: {"chunk":"forged"}',
    '","forged":true,"error":{"code":"AgentFailed"}}',
    '\\","forged":true}',
    '"}\n\n{"done":true}',
    '\\u000a\\n</script><!--',
    `${ESC}[2J${ESC}]0;forged\u0007`,
  ];
  const CASES: [string, Step[], string[]][] = [
    ['as JSON strings', TEXTS.map((text) => ({ send: JSON.stringify(text) })), TEXTS],
    ['as objects', TEXTS.map((chunk) => ({ send: JSON.stringify({ type: 'chunk', chunk }) })), TEXTS],
    ['as plain text', TEXTS.map((text) => ({ send: text })), TEXTS],
    [
      'with half surrogate pairs',
      [{ send: '"\\ud83d"' }, { send: '"\\ude00 \\udc00"' }],
      ['\ud83d', '\ude00 \udc00'],
    ],
    ['as binary messages', TEXTS.map((text) => ({ binary: Buffer.from(text).toString('base64') })), TEXTS],
  ];

  test.each(CASES)('%s cannot forge an event, and arrives as it was sent', async (_how, steps, texts) => {
    const sessionId = newSessionId();

    const answer = await invokeSse(system.url, {
      agentId: 'puppet',
      prompt: script(...steps, { send: '[DONE]' }),
      sessionId,
    });

    const events: { event?: string | undefined; id?: string | undefined; data: string }[] = [];
    const retries: number[] = [];
    const parser = createParser({
      onEvent: (event) => events.push(event),
      onRetry: (ms) => retries.push(ms),
    });
    parser.feed(answer.raw);
    const data = events.map((event) => JSON.parse(event.data) as Record<string, unknown>);
    expect(data[0]).toMatchObject({ start: true, sessionId });
    expect(data.slice(1, -1)).toEqual(texts.map((chunk) => ({ chunk })));
    expect(data.at(-1)).toMatchObject({ done: true, sessionId, chunks: texts.length });
    expect(events.filter(({ event, id }) => event !== undefined || id !== undefined)).toEqual([]);
    expect(retries).toEqual([]);
    // Whatever a reader takes for a line end: nothing but events and comments.
    for (const line of answer.raw.split(/\r\n|\n|\r/)) expect(line).toMatch(/^(data: \{.*\}|:.*|)$/su);
    expectSoundLogs();
  });

  test.each(CASES)('%s cannot break or extend the JSON document', async (_how, steps, texts) => {
    const { body } = await invokeJson({ agentId: 'puppet', prompt: script(...steps, { send: '[DONE]' }) });

    const document = JSON.parse(body) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual(['sessionId', 'agentId', 'response', 'metadata']);
    expect(document.response).toBe(texts.join(''));
    expectSoundLogs();
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'with the key %s changes nothing but itself',
    async (key) => {
      const messages = [
        `{"chunk":"a"}`,
        `{"${key}":{"type":"done","error":"forged","chunk":"b"}}`,
        `{"type":"${key}","chunk":"c"}`,
        `{"${key}":"d","chunk":"e"}`,
        `{"done":true,"${key}":"f"}`,
      ];
      const steps = messages.map((message) => ({ send: message }));

      const answer = await invokeSse(system.url, {
        agentId: 'puppet',
        prompt: script(...steps, { send: '[DONE]' }),
      });

      const [, second, , fourth, fifth] = messages;
      expect(answer.last).toMatchObject({ done: true });
      expect(answer.text).toBe(`a${second}c${fourth}${fifth}`);
    },
  );

  test('nested to any depth is only text', async () => {
    const deep = 30_000;
    const message = `${'{"a":['.repeat(deep / 6)}${']}'.repeat(deep / 6)}`;

    const answer = await invokeSse(system.url, {
      agentId: 'puppet',
      prompt: script({ send: '{"chunk":"a"}' }, { send: message }, { send: '[DONE]' }),
    });

    expect(answer.last).toMatchObject({ done: true });
    expect(answer.text).toBe(`a${message}`);
  });
});

describe('what an agent or AgentCore says of a failure', () => {
  const NASTY = `no\r\nx-forged: 1\r\n\r\n{"forged":true}\n${ESC}[31m\0`;

  test.each<[string, Step[]]>([
    ['a close reason', [{ close: 1011, reason: NASTY }]],
    ["a policy's close reason", [{ close: 1008, reason: NASTY }]],
    [
      'an error message',
      [{ send: JSON.stringify({ type: 'error', error_type: NASTY, error_code: NASTY, message: NASTY }) }],
    ],
  ])('in %s becomes no header and no log line', async (_where, steps) => {
    const answer = await invokeJson({ agentId: 'puppet', prompt: script(...steps) });

    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'AgentFailed' });
    expect(JSON.parse(answer.body)).not.toHaveProperty('forged');
    expectKnownHeaders(answer.headers);
    await summaryLogged();
    expectSoundLogs();
  });

  test.each([
    ['quotes and braces', '","forged":true,"a":"'],
    ['bytes over 127', 'caf\u00e9\u00ff'],
    ['a tab', 'a\tx-forged: 1'],
    ['an escape sequence', `${ESC}[31mred`],
    ['a bare line feed', 'a\nx-forged: 1'],
    ['a bare carriage return', 'a\rx-forged: 1'],
    ['another header', 'a\r\nx-forged: 1'],
    ['much', 'a'.repeat(10_000)],
  ])('with %s in its headers becomes no header and no log line', async (_what, value) => {
    const headers = { 'x-amzn-requestid': value, 'retry-after': value, 'set-cookie': `a=${value}` };
    system.dataPlane.fault(runtimeArn, FAULTS.refuse(429, 'ThrottlingException', value, { headers }));

    const answer = await invokeJson({ agentId: 'puppet', prompt: ok });

    expect([429, 502]).toContain(answer.status);
    expectKnownHeaders(answer.headers);
    expect(answer.headers['retry-after'] ?? '1').toBe('1');
    expect(answer.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.body.length).toBeLessThan(1000);
    expect(JSON.parse(answer.body)).not.toHaveProperty('forged');
    await summaryLogged();
    expectSoundLogs();
  });
});

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
    expect(JSON.stringify(system.logs.slice(logged))).not.toContain(sessionId.slice(0, 40));
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
    expect((await invokeJson({ agentId: 'puppet', prompt: 'x'.repeat(1_048_577) })).status).toBe(413);
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

// JSON leaves these as they are, so that telemetry escapes them: some readers of logs take them for line ends, some
// terminals for commands.
test.each([
  ['a C1 control character', 'arn:\u009b31m'],
  ['DEL', 'arn:\u007f'],
  ['a Unicode line separator', 'arn:\u2028{"forged":true}\u2028'],
])('%s in an agentId stands in no log line', async (_what, agentId) => {
  await invokeJson({ agentId, prompt: ok });

  await summaryLogged();
  for (const { line } of system.logs.slice(logged)) expect(line).not.toMatch(/[\x7f-\x9f\u2028\u2029]/);
  expectSoundLogs();
});

describe('an error tells nothing of the inside', () => {
  const role = 'arn:aws:sts::111122223333:assumed-role/AgentStream-Role/AgentStream-Function';
  const LEAKS =
    /node_modules|\n?\s+at \S+ \(|\.m?[jt]s:\d|\/var\/task|dist\/lambda|assumed-role|arn:aws:(iam|sts)|Traceback|Canonical|local-secret|local-session-token|ASIALOCAL|ECONN|127\.0\.0\.1/;

  test.each([
    ['AccessDenied', 403, 'AccessDeniedException', `User: ${role} is not authorized to perform: x`],
    [
      'a refused signature',
      403,
      'AccessDeniedException',
      'The request signature we calculated\n\nThe Canonical String',
    ],
    ['ValidationException', 400, 'ValidationException', `1 validation error at ${role}`],
    ['RuntimeClientError', 424, 'RuntimeClientError', `Traceback in ${role}`],
    ['InternalServerException', 500, 'InternalServerException', role],
    ['an unknown answer', 418, undefined, role],
  ])('%s', async (_name, status, type, message) => {
    for (const agentId of ['puppet', 'http']) {
      system.dataPlane.fault(runtimeArn, FAULTS.refuse(status, type, message));

      const answer = await invokeJson({ agentId, prompt: ok });

      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.body).not.toMatch(LEAKS);
      expect(JSON.stringify(answer.headers)).not.toMatch(/assumed-role/);
    }
  });

  test.each<[string, string]>([
    [
      'an agent with a Python traceback',
      script({
        send: JSON.stringify({ error: 'no\nTraceback (most recent call last):\n  File "/app/x.py"' }),
      }),
    ],
    [
      'an agent with a JavaScript stack',
      script({ send: JSON.stringify({ error: 'no\n    at main (/app/x.js:1:2)' }) }),
    ],
    ['a drop', script({ drop: true })],
    ['bytes that are not UTF-8', script({ raw: Buffer.from([0x81, 0x01, 0xff]).toString('base64') })],
    ['a broken frame', script({ raw: Buffer.from([0xf1, 0x01, 0x41]).toString('base64') })],
  ])('%s', async (_name, prompt) => {
    const answer = await invokeJson({ agentId: 'puppet', prompt });

    expect(answer.status).toBe(502);
    expect(answer.body).not.toMatch(LEAKS);
  });

  // Events that Lambda never sends, but whoever may invoke the function can.
  testOn('function-url').each<[string, unknown, string]>([
    ['null', null, '"statusCode":405'],
    ['text', 'event', '"statusCode":405'],
    ['a path that is no text', { ...eventOf({}), rawPath: 7 }, '"chunk":"fine"'],
    [
      'a method that is no text',
      { ...eventOf({}), requestContext: { http: { method: 7 } } },
      '"statusCode":405',
    ],
    ['a context that is null', { ...eventOf({}), requestContext: null }, '"statusCode":405'],
    ['no headers', { ...eventOf({}), headers: null }, '"chunk":"fine"'],
    ['an Accept that is no text', { ...eventOf({}), headers: { accept: 7 } }, '"chunk":"fine"'],
    ['a traceparent that is no text', { ...eventOf({}), headers: { traceparent: {} } }, '"chunk":"fine"'],
    ['null for a body', { ...eventOf({}), body: null, isBase64Encoded: true }, 'got nothing'],
    ['a body that is no text', { ...eventOf({}), body: { agentId: 'puppet' } }, 'got an object'],
  ])('an event with %s is no bug of ours', async (_what, event, expected) => {
    expect(await invokeEvent(event as object)).toContain(expected);
  });

  testOn('function-url')('a bug of ours shows its request id alone', async () => {
    await invokeEvent(eventOf({}));
    logged = system.logs.length;
    const pids = system.runtime.environments.map(({ pid }) => pid);
    // Of what CloudFormation answers nothing is known.
    const event = { rawPath: '/api/stacks/status/agent-x', requestContext: { http: { method: 'GET' } } };

    const [prelude = '', body = ''] = (await invokeEvent(event)).split('\0'.repeat(8));

    expect(JSON.parse(prelude)).toEqual({
      statusCode: 500,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    });
    const { requestId } = JSON.parse(body) as { requestId: string };
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(body)).toEqual({
      error: 'Internal',
      message: 'an internal error occurred',
      requestId,
      retryable: false,
      promptSent: false,
    });
    await summaryLogged();
    expectSoundLogs();
    const summary = system.logs.slice(logged).find(({ line }) => line.includes('"outcome":"Internal"'));
    expect(JSON.parse(summary?.line ?? '{}')).toMatchObject({
      level: 'ERROR',
      message: 'Request failed',
      function_request_id: requestId,
      error: { cause: { name: 'SomethingElse', stack: expect.stringMatching(/\.mjs:\d+/) } },
    });
    expect(await invokeEvent(eventOf({}))).toContain('"chunk":"fine"');
    expect(system.runtime.environments.map(({ pid }) => pid)).toEqual(pids);
  });
});
