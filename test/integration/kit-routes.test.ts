import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, type Step, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId } from '../fixtures/sse.ts';
import { eventsOf } from '../fixtures/written-answer.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const HALF: Step[] = [{ send: '{"chunk":"Hi"}' }];
const WHOLE: Step[] = [...HALF, { send: '[DONE]' }];

let puppet: PuppetAgent;
let system: System;
/** One with a single agent, which commits at once. */
let single: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  const runtime = { id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target };
  const environment = { POOL_MAX_CONNECTIONS: '0', MAX_RETRIES: '0', MAX_PROMPT_BYTES: '2000' };
  const other = { ...runtime, id: 'other', name: 'OtherAgent', runtimeArn: `${runtimeArn.slice(0, -1)}8` };
  system = await startSystem({ runtimes: [runtime, other], environment });
  single = await startSystem({
    runtimes: [runtime],
    environment: { ...environment, COMMIT_AFTER_MS: '0', HEARTBEAT_INTERVAL_MS: '100' },
  });
});
afterAll(async () => {
  await system?.close();
  await single?.close();
  await puppet?.close();
});

/** A turn of a kit: its path, how its body is made, and the events that begin and end an answer. */
const KITS = {
  'ui-message-stream': {
    path: 'chat',
    body: (text: string, more: object = {}) => ({
      id: 'chat',
      messages: [{ id: 'u', role: 'user', parts: [{ type: 'text', text }] }],
      ...more,
    }),
    first: 'start',
    error: { type: 'error', errorText: expect.any(String) },
    isComplete: (events: Record<string, unknown>[]) => events.at(-2)?.type === 'finish',
  },
  'ag-ui': {
    path: 'ag-ui',
    body: (text: string, more: object = {}) => ({
      threadId: 'main',
      runId: 'run',
      state: {},
      messages: [{ id: 'u', role: 'user', content: text }],
      tools: [],
      context: [],
      forwardedProps: {},
      ...more,
    }),
    first: 'RUN_STARTED',
    error: expect.objectContaining({ type: 'RUN_ERROR', code: 'AgentInterrupted' }),
    isComplete: (events: Record<string, unknown>[]) => events.at(-1)?.type === 'RUN_FINISHED',
  },
};

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', origin: 'http://a.example' },
    body: JSON.stringify(body),
  });
}

const dataOf = (stream: string) => eventsOf(stream.replace(/^:.*\n/gm, ''));
const said = (events: Record<string, unknown>[]) => events.map(({ delta }) => delta ?? '').join('');

describe.each(Object.entries(KITS))('%s', (name, kit) => {
  test.each([
    ['of the path', () => `${system.url}/api/agents/puppet/${kit.path}`, {}],
    ['of the path, by its ARN', () => `${system.url}/api/agents/${runtimeArn}/${kit.path}/`, {}],
    [
      'of the path before that of the body',
      () => `${system.url}/api/agents/puppet/${kit.path}`,
      { agentId: 'x' },
    ],
    ['of the body', () => `${system.url}/api/${kit.path}`, { agentId: 'puppet' }],
    ['there is alone', () => `${single.url}/api/${kit.path}`, {}],
  ])('asks the agent that %s', async (_which, urlOf, more) => {
    const response = await post(urlOf(), kit.body(script(...WHOLE), more));
    const events = dataOf(await response.text());

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(events[0]?.type).toBe(kit.first);
    expect(said(events)).toBe('Hi');
    expect(kit.isComplete(events)).toBe(true);
    expect(puppet.prompts.at(-1)).toEqual({
      prompt: script(...WHOLE),
      sessionId: response.headers.get('x-session-id'),
    });
  });

  test('goes on in the session that the caller names', async () => {
    const sessionId = newSessionId();

    const response = await post(`${single.url}/api/${kit.path}`, kit.body(script(...WHOLE), { sessionId }));
    await response.text();

    expect(response.headers.get('x-session-id')).toBe(sessionId);
    expect(puppet.prompts.at(-1)?.sessionId).toBe(sessionId);
  });

  test.each([
    ['a body that is none', 400, 'BadRequest', () => post(`${single.url}/api/${kit.path}`, [])],
    [
      'no agent, where there are several',
      400,
      'BadRequest',
      () => post(`${system.url}/api/${kit.path}`, kit.body('x')),
    ],
    [
      'another agent',
      404,
      'AgentNotFound',
      () => post(`${system.url}/api/agents/list/${kit.path}`, kit.body('x')),
    ],
    [
      'a long prompt',
      413,
      'PayloadTooLarge',
      () => post(`${single.url}/api/${kit.path}`, kit.body('x'.repeat(2001))),
    ],
    [
      'a payload',
      400,
      'BadRequest',
      () =>
        post(
          `${single.url}/api/${kit.path}`,
          kit.body('x', { payload: {}, forwardedProps: { payload: {} } }),
        ),
    ],
    [
      'a failure before any text',
      502,
      'AgentInterrupted',
      () => post(`${system.url}/api/agents/puppet/${kit.path}`, kit.body(script({ drop: true }))),
    ],
  ])('answers %s with the status and a sentence', async (_what, status, code, ask) => {
    const response = await ask();
    const body = await response.text();

    const { headers } = response;
    const requestId = headers.get('x-amzn-requestid');
    expect(response.status).toBe(status);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(headers.get('x-error-code')).toBe(code);
    expect(headers.get('x-error-retryable')).toBe('false');
    expect(headers.get('x-session-id')).toMatch(/^.{33,}$/);
    expect(headers.get('access-control-expose-headers')).toContain('X-Error-Code,X-Error-Retryable');
    expect(body).toMatch(/^["A-Z].* \(request [\w-]+\)$/);
    expect(body).toContain(requestId);
  });

  test('tells when a failure may be tried again', async () => {
    system.dataPlane.fault(runtimeArn, FAULTS.refuse(503), 1);

    const response = await post(`${system.url}/api/agents/puppet/${kit.path}`, kit.body(script(...WHOLE)));

    expect(response.status).toBe(503);
    expect(response.headers.get('x-error-retryable')).toBe('true');
    expect(response.headers.get('retry-after')).toBe('5');
  });

  test('ends an answer in order that breaks off, and one that never begins', async () => {
    const halves = await post(`${single.url}/api/${kit.path}`, kit.body(script(...HALF, { drop: true })));
    const none = await post(`${single.url}/api/${kit.path}`, kit.body(script({ drop: true })));
    const [cut, empty] = [dataOf(await halves.text()), dataOf(await none.text())];

    expect(halves.status).toBe(200);
    expect(said(cut)).toBe('Hi');
    expect(cut).toContainEqual(kit.error);
    expect(empty[0]?.type).toBe(kit.first);
    expect(empty).toContainEqual(kit.error);
    expect([kit.isComplete(cut), kit.isComplete(empty)]).toEqual([false, false]);
  });

  test('fills a silence with comments', async () => {
    const response = await post(
      `${single.url}/api/${kit.path}`,
      kit.body(script({ sleepMs: 350 }, ...WHOLE)),
    );
    const stream = await response.text();

    expect(stream.match(/^: keep-alive$/gm)?.length).toBeGreaterThan(1);
    expect(said(dataOf(stream))).toBe('Hi');
  });

  test('has data of an agent beside the text, never in it', async () => {
    const steps = script(...HALF, { send: '{"type":"plan","steps":[1]}' }, { send: '[DONE]' });

    const events = dataOf(await (await post(`${single.url}/api/${kit.path}`, kit.body(steps))).text());

    expect(said(events)).toBe('Hi');
    expect(JSON.stringify(events)).toContain('"steps":[1]');
    expect(name).toBeDefined();
  });
});

describe('a run of AG-UI', () => {
  test.each([
    [
      'suggestions',
      { forwardedProps: { toolChoice: { type: 'function', function: { name: 'copilotkitSuggest' } } } },
    ],
    ['the result of a tool', { messages: [{ id: 't', role: 'tool', toolCallId: 'c', content: '1' }] }],
  ])('for %s is empty, and asks no agent', async (_what, more) => {
    const before = puppet.prompts.length;

    const response = await post(`${single.url}/api/ag-ui`, KITS['ag-ui'].body('x', more));

    expect(dataOf(await response.text())).toEqual([
      { type: 'RUN_STARTED', threadId: 'main', runId: 'run' },
      { type: 'RUN_FINISHED', threadId: 'main', runId: 'run' },
    ]);
    expect(puppet.prompts).toHaveLength(before);
  });
});

describe('the running answer of a chat', () => {
  test.each(['/api/chat/a%2Fb/stream', '/api/agents/puppet/chat/x/stream'])(
    '%s: there is none, and the connection is fit for the next request',
    async (path) => {
      const response = await fetch(system.url + path);
      const body = await response.arrayBuffer();

      expect(response.status).toBe(204);
      expect(body.byteLength).toBe(0);
      expect((await fetch(`${system.url}/health`)).status).toBe(200);
    },
  );

  test('of another agent is not found', async () => {
    expect((await fetch(`${system.url}/api/agents/nobody/chat/x/stream`)).status).toBe(404);
  });
});
