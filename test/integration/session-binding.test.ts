import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type FunctionUrl, startFunctionUrl } from '../../local/aws/function-url.ts';
import type { Caller } from '../../local/aws/function-url-event.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, readSse } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const ok = script({ send: 'fine' }, { send: '[DONE]' });
const caller = (userId: string): Caller => ({
  accessKey: 'ASIACALLER0000000001',
  accountId: '111122223333',
  callerId: userId,
  userArn: `arn:aws:sts::111122223333:assumed-role/Users/${userId.split(':')[1]}`,
  userId,
});
const SESSION_HEADER = 'x-amzn-bedrock-agentcore-runtime-session-id';
const USER_HEADER = 'x-amzn-bedrock-agentcore-runtime-user-id';

let puppet: PuppetAgent;
let system: System;
const urls: FunctionUrl[] = [];

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
afterEach(async () => {
  for (const url of urls.splice(0)) await url.close();
  await system.close();
});
afterAll(() => puppet.close());

/** One function, and a URL for each caller; the first one is nobody's. */
async function start(environment: Record<string, string>, ...userIds: string[]): Promise<string[]> {
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    sessions: true,
    environment: { SESSION_STORE_WAIT_MS: '5000', ...environment },
  });
  for (const userId of userIds) {
    urls.push(await startFunctionUrl({ runtime: system.runtime, caller: caller(userId) }));
  }
  return [system.url, ...urls.map(({ url }) => url)];
}

const ask = (url = '', sessionId = '') => invokeSse(url, { agentId: 'puppet', prompt: ok, sessionId });
const upgradeHeader = (name: string) => puppet.upgrades.at(-1)?.[name];

describe('sessions that are bound to their callers', () => {
  test('are not reached by another caller that knows the id, which sees its own id only', async () => {
    const [, alice, bob] = await start({ SESSION_BINDING: 'iam' }, 'AROA1:alice', 'AROA1:bob');
    const sessionId = newSessionId();

    const ofAlice = await ask(alice, sessionId);
    const aliceReached = upgradeHeader(SESSION_HEADER);
    const ofBob = await ask(bob, sessionId);
    const bobReached = upgradeHeader(SESSION_HEADER);

    expect(aliceReached).toMatch(/^s[\w-]{43}$/);
    expect(bobReached).toMatch(/^s[\w-]{43}$/);
    expect(bobReached).not.toBe(aliceReached);
    for (const { events, raw, headers } of [ofAlice, ofBob]) {
      expect(events[0]?.data).toMatchObject({ sessionId });
      expect(headers.get('x-session-id')).toBe(sessionId);
      expect(raw).not.toContain(aliceReached);
    }
    expect(puppet.prompts.at(-1)?.sessionId).toBe(bobReached);
  });

  test('serve their caller turn after turn', async () => {
    const [, alice] = await start({ SESSION_BINDING: 'iam' }, 'AROA1:alice');
    const sessionId = newSessionId();

    await ask(alice, sessionId);
    const first = upgradeHeader(SESSION_HEADER);
    const upgrades = puppet.prompts.length;
    await ask(alice, sessionId);

    expect(puppet.prompts.slice(upgrades).map((asked) => asked.sessionId)).toEqual([first]);
  });

  test('show nobody else their answers, neither by the id of the session nor by that of an event', async () => {
    const [, alice, bob] = await start({ SESSION_BINDING: 'iam' }, 'AROA1:alice', 'AROA1:bob');
    const sessionId = newSessionId();
    const { events } = await ask(alice, sessionId);
    const path = `/api/agents/puppet/sessions/${sessionId}`;
    const headers = { 'last-event-id': events[0]?.id ?? '' };
    const body = JSON.stringify({ agentId: 'puppet', prompt: ok });

    const read = async (url = '') => [
      (await readSse(await fetch(`${url}${path}/stream`))).text,
      (await readSse(await fetch(`${url}${path}/stream`, { headers }))).text,
      (await readSse(await fetch(url, { method: 'POST', headers, body }))).text,
    ];

    expect(await read(alice)).toEqual(['fine', 'fine', 'fine']);
    expect(await read(bob)).toEqual(['', '', '']);
    expect(await (await fetch(`${bob}${path}`)).json()).toMatchObject({ state: 'unknown' });
  });

  test.each([
    ['no caller that has signed', []],
    ['an identity of a Cognito pool, whose name all of them share', ['AROA1:CognitoIdentityCredentials']],
  ])('are refused to %s', async (_who, userIds) => {
    const all = await start({ SESSION_BINDING: 'iam' }, ...userIds);

    const response = await fetch(all.at(-1) ?? '', {
      method: 'POST',
      body: JSON.stringify({ agentId: 'puppet', prompt: ok }),
    });

    expect([response.status, (await response.json()).error]).toEqual([403, 'AccessDenied']);
  });
});

describe('a user id', () => {
  test('is the identity of the caller, and a connection serves nobody else', async () => {
    const [, alice, bob] = await start({ USER_ID: 'iam' }, 'AROA1:alice', 'AROA1:bob');
    const sessionId = newSessionId();

    await ask(alice, sessionId);
    const users = [upgradeHeader(USER_HEADER)];
    await ask(bob, sessionId);
    users.push(upgradeHeader(USER_HEADER));

    expect(users).toEqual(['AROA1:alice', 'AROA1:bob']);
    expect(upgradeHeader(SESSION_HEADER)).toBe(sessionId);
  });

  test('is not sent by default', async () => {
    const [, alice] = await start({}, 'AROA1:alice');
    const sessionId = newSessionId();

    await ask(alice, sessionId);

    expect([upgradeHeader(USER_HEADER), upgradeHeader(SESSION_HEADER)]).toEqual([undefined, sessionId]);
  });
});
