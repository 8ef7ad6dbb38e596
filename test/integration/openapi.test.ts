import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../lambda/contract.ts';
import { DENIED_STACK, FAILED_STACK, LOCAL_STACK, THROTTLED_STACK } from '../../local/aws/cloudformation.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { document, faultsOfAnswer } from '../fixtures/openapi.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';
import {
  type StrangeCloudFormation,
  startStrangeCloudFormation,
} from '../fixtures/strange-cloudformation.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const SSE = { accept: 'text/event-stream' };
const JSON_ONLY = { accept: 'application/json' };

let puppet: PuppetAgent;
let system: System;
/** One that commits at once, and has no route for stacks. */
let other: System;
let strange: System;
/** One that keeps sessions. */
let kept: System;
let cloudFormation: StrangeCloudFormation;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  const runtimes = [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }];
  // A fault is for the next upgrade; a connection that is used again has none.
  const environment = {
    POOL_MAX_CONNECTIONS: '0',
    MAX_RETRIES: '0',
    MAX_PROMPT_BYTES: '10000',
    MAX_RESPONSE_BYTES: '3000',
  };
  system = await startSystem({ runtimes, environment });
  other = await startSystem({
    runtimes,
    environment: { ...environment, COMMIT_AFTER_MS: '0', STACK_STATUS_PREFIX: '' },
  });
  kept = await startSystem({
    runtimes,
    sessions: true,
    environment: { SESSION_STORE_WAIT_MS: '5000' },
  });
  cloudFormation = await startStrangeCloudFormation();
  strange = await startSystem({
    runtimes,
    environment: { AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url },
  });
});
afterAll(async () => {
  await system?.close();
  await other?.close();
  await strange?.close();
  await kept?.close();
  await cloudFormation?.close();
  await puppet?.close();
});

const body = (...steps: Parameters<typeof script>) =>
  JSON.stringify({ agentId: 'puppet', prompt: script(...steps) });
const complete = body({ send: 'some ' }, { send: 'text "ü" \n' }, { send: '[DONE]' });
const interrupted = body({ send: 'some ' }, { send: 'text' }, { drop: true });
const failed = body({ send: JSON.stringify({ type: 'error', error: { code: 'E1', message: 'no model' } }) });
const endless = body({ send: 'x'.repeat(500), times: 20 }, { send: '[DONE]' });

const chat = (...steps: Parameters<typeof script>) =>
  JSON.stringify({
    id: 'c',
    messages: [{ role: 'user', parts: [{ type: 'text', text: script(...steps) }] }],
  });
const run = (...steps: Parameters<typeof script>) =>
  JSON.stringify({
    threadId: 't',
    runId: 'r',
    messages: [{ id: 'u', role: 'user', content: script(...steps) }],
  });
const STRUCTURED = [{ send: '{"chunk":"Hi"}' }, { send: '{"type":"plan","steps":[1]}' }];

interface Row {
  path: string;
  /** As the document writes it. @default path */
  template?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  fault?: Parameters<typeof FAULTS.refuse>;
  /** Asks the one that commits at once and has no route for stacks. */
  ofOther?: true;
  /** Asks the one whose CloudFormation says what nobody knows. */
  ofStrange?: true;
  status: number;
  code?: string;
  /** The code of an error that has it in a header alone. */
  header?: string;
  /** Of an error in a stream. */
  partial?: boolean;
}

const ROWS: Record<string, Row> = {
  'a complete stream': { path: '/', body: complete, status: 200 },
  'a complete stream of /api': { path: '/api', body: complete, status: 200 },
  'a complete stream of /api/agents/invoke': {
    path: '/api/agents/invoke',
    headers: SSE,
    body: complete,
    status: 200,
  },
  'a complete document': { path: '/api/agents/invoke', body: complete, status: 200 },
  'a complete document of /': { path: '/', headers: JSON_ONLY, body: complete, status: 200 },
  'an interrupted stream': {
    path: '/',
    body: interrupted,
    status: 200,
    code: 'AgentInterrupted',
    partial: true,
  },
  'an interrupted document': {
    path: '/',
    headers: JSON_ONLY,
    body: interrupted,
    status: 200,
    code: 'AgentInterrupted',
  },
  'a stream that is too long': { path: '/', body: endless, status: 200, code: 'ResponseTooLarge' },
  'a document that is too long': {
    path: '/',
    headers: JSON_ONLY,
    body: endless,
    status: 200,
    code: 'ResponseTooLarge',
  },
  'no JSON': { path: '/', body: 'no', status: 400, code: 'BadRequest' },
  'no prompt': { path: '/', body: '{"agentId":"puppet"}', status: 400, code: 'BadRequest' },
  'another agent': { path: '/api', body: '{"agentId":"a","prompt":"b"}', status: 404, code: 'AgentNotFound' },
  'a long prompt': {
    path: '/',
    body: JSON.stringify({ agentId: 'puppet', prompt: 'x'.repeat(20_000) }),
    status: 413,
    code: 'PayloadTooLarge',
  },
  'refused credentials': {
    path: '/',
    body: complete,
    fault: [401, 'UnauthorizedException'],
    status: 401,
    code: 'Unauthenticated',
  },
  'a missing permission': {
    path: '/',
    body: complete,
    fault: [403, 'AccessDeniedException', 'Authorization method mismatch. It uses OAuth'],
    status: 403,
    code: 'AccessDenied',
  },
  'a compressed body': {
    path: '/',
    headers: { 'content-encoding': 'gzip' },
    body: complete,
    status: 415,
    code: 'UnsupportedEncoding',
  },
  throttling: {
    path: '/',
    body: complete,
    fault: [429, 'ThrottlingException'],
    status: 429,
    code: 'Throttled',
  },
  'an error of the agent': { path: '/', body: failed, status: 502, code: 'AgentFailed' },
  'a lost connection': { path: '/', body: body({ drop: true }), status: 502, code: 'AgentInterrupted' },
  'an agent that is down': { path: '/', body: complete, fault: [503], status: 503, code: 'AgentUnavailable' },
  'a timeout upstream': { path: '/', body: complete, fault: [504], status: 504, code: 'AgentTimeout' },
  'a failure before any text in a stream that has begun': {
    path: '/',
    body: failed,
    ofOther: true,
    status: 200,
    code: 'AgentFailed',
    partial: false,
  },
  'an agent that is down, in a stream that has begun': {
    path: '/',
    body: complete,
    fault: [503],
    ofOther: true,
    status: 200,
    code: 'AgentUnavailable',
    partial: false,
  },
  'a bug of the service': {
    path: '/api/stacks/status/agent-x',
    template: '/api/stacks/status/{stackName}',
    ofStrange: true,
    status: 500,
    code: 'Internal',
  },
  ...Object.fromEntries(
    Object.entries(document.paths).map(([template, operations]): [string, Row] => [
      `another method of ${template}`,
      {
        path: template.replace(/\{\w+\}/g, 'agent-x'),
        template,
        method: 'post' in operations ? 'GET' : 'POST',
        ...('get' in operations && { body: '{}' }),
        status: 405,
        code: 'MethodNotAllowed',
      },
    ]),
  ),
  'a chat': { path: '/api/chat', body: chat(...STRUCTURED, { send: '[DONE]' }), status: 200 },
  'a chat with an agent': {
    path: '/api/agents/puppet/chat',
    template: '/api/agents/{agentId}/chat',
    body: chat(...STRUCTURED, { drop: true }),
    status: 200,
  },
  'a refused chat': { path: '/api/chat', body: '{}', status: 400, header: 'BadRequest' },
  'a chat with no agent': {
    path: '/api/agents/nobody/chat',
    template: '/api/agents/{agentId}/chat',
    body: chat(),
    status: 404,
    header: 'AgentNotFound',
  },
  'a compressed chat': {
    path: '/api/chat',
    headers: { 'content-encoding': 'gzip' },
    body: chat(),
    status: 415,
    header: 'UnsupportedEncoding',
  },
  'a chat with an agent that is down': {
    path: '/api/chat',
    body: chat(),
    fault: [503],
    status: 503,
    header: 'AgentUnavailable',
  },
  'a chat to go on with': {
    path: '/api/chat/c1/stream',
    template: '/api/chat/{chatId}/stream',
    status: 204,
  },
  'a chat to go on with of another agent': {
    path: '/api/agents/nobody/chat/c1/stream',
    template: '/api/agents/{agentId}/chat/{chatId}/stream',
    status: 404,
    code: 'AgentNotFound',
  },
  'a run': { path: '/api/ag-ui', body: run(...STRUCTURED, { send: '[DONE]' }), status: 200 },
  'a run with an agent': {
    path: '/api/agents/puppet/ag-ui',
    template: '/api/agents/{agentId}/ag-ui',
    body: run(...STRUCTURED, { drop: true }),
    status: 200,
    code: 'AgentInterrupted',
  },
  'a failed run': {
    path: '/api/ag-ui',
    body: run({ drop: true }),
    status: 502,
    header: 'AgentInterrupted',
  },
  'another path': { path: '/nowhere', template: '/', body: '{}', status: 404, code: 'NotFound' },
  agents: { path: '/api/agents/list', status: 200 },
  'a configured agent': {
    path: '/api/agents/status/puppet',
    template: '/api/agents/status/{agentId}',
    status: 200,
  },
  'an unknown agent': {
    path: '/api/agents/status/nobody',
    template: '/api/agents/status/{agentId}',
    status: 200,
  },
  'a stack': {
    path: `/api/stacks/status/${LOCAL_STACK}`,
    template: '/api/stacks/status/{stackName}',
    status: 200,
  },
  'a stack that failed': {
    path: `/api/stacks/status/${FAILED_STACK}`,
    template: '/api/stacks/status/{stackName}',
    status: 200,
  },
  'a stack that may not be described': {
    path: `/api/stacks/status/${DENIED_STACK}`,
    template: '/api/stacks/status/{stackName}',
    status: 403,
    code: 'AccessDenied',
  },
  'throttling by CloudFormation': {
    path: `/api/stacks/status/${THROTTLED_STACK}`,
    template: '/api/stacks/status/{stackName}',
    status: 429,
    code: 'Throttled',
  },
  'a stack where the route is off': {
    path: `/api/stacks/status/${LOCAL_STACK}`,
    template: '/api/stacks/status/{stackName}',
    ofOther: true,
    status: 404,
    code: 'NotFound',
  },
  'an unknown stack': {
    path: '/api/stacks/status/nothing',
    template: '/api/stacks/status/{stackName}',
    status: 404,
    code: 'NotFound',
  },
  'a wrong stack name': {
    path: '/api/stacks/status/-',
    template: '/api/stacks/status/{stackName}',
    status: 400,
    code: 'BadRequest',
  },
  health: { path: '/health', status: 200 },
};

describe('docs/openapi.yaml is right about', () => {
  test.each(Object.entries(ROWS))('%s', async (_, row) => {
    if (row.fault) (row.ofOther ? other : system).dataPlane.fault(runtimeArn, FAULTS.refuse(...row.fault), 1);

    const { url } = row.ofOther ? other : row.ofStrange ? strange : system;
    const request = {
      method: row.method ?? (row.body === undefined ? 'GET' : 'POST'),
      ...(row.body !== undefined && { body: row.body }),
      ...(row.headers && { headers: row.headers }),
    };

    const response = await fetch(url + row.path, request);
    const text = await response.text();

    expect({ status: response.status, text }).toEqual({
      status: row.status,
      text: row.code === undefined ? expect.any(String) : expect.stringContaining(`"${row.code}"`),
    });
    expect(response.headers.get('x-error-code')).toBe(row.header ?? null);
    if (row.partial !== undefined) expect(text).toContain(`"partial":${row.partial}`);
    expect(faultsOfAnswer(row.template ?? row.path, response, text)).toEqual([]);
  });
});

describe('docs/openapi.yaml is right about sessions, when', () => {
  const template = '/api/agents/{agentId}/sessions';
  const path = '/api/agents/puppet/sessions';
  const sessionId = newSessionId();
  const slow = JSON.stringify({
    agentId: 'puppet',
    sessionId,
    prompt: script({ send: 'some' }, { sleepMs: 20_000 }, { send: '[DONE]' }),
  });
  const quick = JSON.stringify({
    agentId: 'puppet',
    sessionId,
    prompt: script({ send: 'a' }, { close: 1000 }),
  });

  test.each<[what: string, method: string, end: string, status: number, body: string | null]>([
    ['one is begun', 'POST', '', 201, JSON.stringify({ sessionId })],
    ['nothing of it is kept', 'GET', '/{sessionId}', 200, null],
    ['it has no answer', 'GET', '/{sessionId}/stream', 204, null],
    ['nothing runs that could be stopped', 'POST', '/{sessionId}/stop', 200, null],
    ['its id is none', 'GET', '/{sessionId}/stream', 400, null],
    ['its body is none', 'POST', '', 400, 'no'],
  ])('%s', async (_what, method, end, status, body) => {
    const named = end.replace('{sessionId}', status === 400 ? 'short' : sessionId);

    const response = await fetch(kept.url + path + named, { method, ...(body && { body }) });
    const text = await response.text();

    expect([response.status, faultsOfAnswer(template + end, response, text, method)]).toEqual([status, []]);
  });

  test('it is busy, stopped, read again and ended', async () => {
    const running = fetch(kept.url, { method: 'POST', body: slow });
    await until(() => puppet.prompts.some((asked) => asked.sessionId === sessionId), 'the agent is asked');

    const asked: [method: string, end: string, body?: string][] = [
      ['POST', '', quick],
      ['GET', '/{sessionId}'],
      ['POST', '/{sessionId}/stop'],
    ];
    const answers = [];
    for (const [method, end, body] of asked) {
      const url = body ? kept.url : kept.url + path + end.replace('{sessionId}', sessionId);
      const response = await fetch(url, { method, ...(body && { body }) });
      const text = await response.text();
      answers.push([response.status, faultsOfAnswer(body ? '/' : template + end, response, text, method)]);
    }
    const stopped = await running;
    const stoppedText = await stopped.text();
    for (const [method, end] of [
      ['GET', '/{sessionId}/stream'],
      ['DELETE', '/{sessionId}'],
    ] as const) {
      const response = await fetch(kept.url + path + end.replace('{sessionId}', sessionId), { method });
      const text = await response.text();
      answers.push([response.status, faultsOfAnswer(template + end, response, text, method)]);
    }

    expect(answers).toEqual([409, 200, 200, 200, 200].map((status) => [status, []]));
    expect(stoppedText).toContain('"stopped":true');
    expect(faultsOfAnswer('/', stopped, stoppedText)).toEqual([]);
  });
});

test('every code of the service is among them, or below', () => {
  const codes = new Set([...Object.values(ROWS).map(({ code }) => code), 'SessionBusy']);

  expect(ERROR_CODES.filter((code) => !codes.has(code))).toEqual([]);
});

describe('an answer that the document does not describe is told by', () => {
  const good = { 'content-type': 'application/json', 'cache-control': 'no-store', allow: 'POST' };
  const error = {
    error: 'MethodNotAllowed',
    message: 'm',
    requestId: 'r',
    retryable: false,
    promptSent: false,
  };

  test.each<[string, number, Record<string, string>, object, string]>([
    ['a header that is empty', 405, { ...good, allow: '' }, error, 'allow must be equal to'],
    ['a header that is not there', 405, { 'content-type': 'application/json' }, error, 'allow is not there'],
    ['a header that is new', 405, { ...good, 'x-new': '1' }, error, 'x-new is not described'],
    [
      'a header with another value',
      405,
      { ...good, 'cache-control': 'no-cache' },
      error,
      'cache-control must be',
    ],
    ['another status', 418, good, error, 'no answer with status 418'],
    ['another type', 405, { ...good, 'content-type': 'text/plain' }, error, 'text/plain is not described'],
    [
      'a session in the header alone',
      500,
      { ...good, 'x-session-id': 's'.repeat(33) },
      error,
      'X-Session-Id',
    ],
    ['seconds to wait in the header alone', 429, { ...good, 'retry-after': '1' }, error, 'Retry-After'],
    ['no integer', 429, { ...good, 'retry-after': 'soon' }, error, 'retry-after must be integer'],
  ])('%s', (_what, status, headers, body, fault) => {
    const faults = faultsOfAnswer('/', new Response('', { status, headers }), JSON.stringify(body));

    expect(faults.join()).toContain(fault);
  });
});
