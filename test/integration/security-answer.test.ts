import { describe, expect, test } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import {
  ESC,
  eventOf,
  expectKnownHeaders,
  expectSoundLogs,
  forgetLogs,
  invokeEvent,
  invokeJson,
  newLogs,
  ok,
  runtimeArn,
  summaryLogged,
  system,
  useExposedSystem,
} from '../fixtures/exposed-system.ts';
import { type Step, script } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId } from '../fixtures/sse.ts';
import { testOn } from '../fixtures/test-on.ts';

useExposedSystem();

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

// JSON leaves these as they are, so that telemetry escapes them: some readers of logs take them for line ends, some
// terminals for commands.
test.each([
  ['a C1 control character', 'arn:\u009b31m'],
  ['DEL', 'arn:\u007f'],
  ['a Unicode line separator', 'arn:\u2028{"forged":true}\u2028'],
])('%s in an agentId stands in no log line', async (_what, agentId) => {
  await invokeJson({ agentId, prompt: ok });

  await summaryLogged();
  for (const { line } of newLogs()) expect(line).not.toMatch(/[\x7f-\x9f\u2028\u2029]/);
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
    forgetLogs();
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
    const summary = newLogs().find(({ line }) => line.includes('"outcome":"Internal"'));
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
