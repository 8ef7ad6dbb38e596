import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LOCAL_STACK } from '../../local/cloudformation.ts';
import { FAULTS } from '../../local/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { faultsOfAnswer } from '../fixtures/openapi.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const SSE = { accept: 'text/event-stream' };
const JSON_ONLY = { accept: 'application/json' };

let puppet: PuppetAgent;
let system: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    // A fault is for the next upgrade; a connection that is used again has none.
    environment: {
      POOL_MAX_CONNECTIONS: '0',
      MAX_RETRIES: '0',
      MAX_PROMPT_BYTES: '10000',
      MAX_RESPONSE_BYTES: '3000',
    },
  });
});
afterAll(async () => {
  await system?.close();
  await puppet?.close();
});

const body = (...steps: Parameters<typeof script>) =>
  JSON.stringify({ agentId: 'puppet', prompt: script(...steps) });
const complete = body({ send: 'some ' }, { send: 'text "ü" \n' }, { send: '[DONE]' });
const interrupted = body({ send: 'some ' }, { send: 'text' }, { drop: true });
const failed = body({ send: JSON.stringify({ type: 'error', error: { code: 'E1', message: 'no model' } }) });
const endless = body({ send: 'x'.repeat(500), times: 20 }, { send: '[DONE]' });

interface Row {
  path: string;
  /** As the document writes it. @default path */
  template?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  fault?: Parameters<typeof FAULTS.refuse>;
  status: number;
  code?: string;
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
  'an interrupted stream': { path: '/', body: interrupted, status: 200, code: 'AgentInterrupted' },
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
  'another method': {
    path: '/',
    method: 'PUT',
    template: '/',
    body: '{}',
    status: 405,
    code: 'MethodNotAllowed',
  },
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
    if (row.fault) system.dataPlane.fault(runtimeArn, FAULTS.refuse(...row.fault), 1);

    const response = await fetch(system.url + row.path, {
      method: row.method ?? (row.body === undefined ? 'GET' : 'POST'),
      ...(row.body !== undefined && { body: row.body }),
      ...(row.headers && { headers: row.headers }),
    });
    const text = await response.text();

    expect({ status: response.status, text }).toEqual({
      status: row.status,
      text: row.code === undefined ? expect.any(String) : expect.stringContaining(`"${row.code}"`),
    });
    expect(faultsOfAnswer(row.template ?? row.path, response, text)).toEqual([]);
  });
});
