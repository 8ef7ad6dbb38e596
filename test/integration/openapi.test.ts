import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../lambda/contract.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { ROWS } from '../fixtures/documented-answers.ts';
import { faultsOfAnswer } from '../fixtures/openapi.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';
import {
  type StrangeCloudFormation,
  startStrangeCloudFormation,
} from '../fixtures/strange-cloudformation.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';

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
