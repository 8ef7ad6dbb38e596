import { createHash } from 'node:crypto';
import {
  BedrockAgentCoreClient,
  InvokeAgentRuntimeCommand,
  StopRuntimeSessionCommand,
  type StopRuntimeSessionCommandInput,
} from '@aws-sdk/client-bedrock-agentcore';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RuntimeClient } from 'bedrock-agentcore/runtime';
import WebSocket from 'ws';
import { signUpgrade } from '../../lambda/agentcore/signing.ts';
import { parseRuntimeArn } from '../../lambda/arn.ts';
import { type DataPlane, startDataPlane } from '../../local/aws/data-plane.ts';
import { LOCAL_CREDENTIALS, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

const region = 'eu-west-1';
const accountId = '111122223333';
const runtimeArn = `arn:aws:bedrock-agentcore:${region}:${accountId}:runtime/Puppet-0123456789`;
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret', sessionToken: 'token/+=' };
const START_MS = 500;

let puppet: PuppetAgent;
let plane: DataPlane;
let client: BedrockAgentCoreClient;
/** Sessions that the container was told to forget, and what telling it waits for. */
let forgotten: string[];
let forgetting: Promise<void>;

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
afterAll(() => puppet.close());
beforeEach(async () => {
  forgotten = [];
  forgetting = Promise.resolve();
  const endSession = async (sessionId: string) => {
    forgotten.push(sessionId);
    await forgetting;
  };
  plane = await startDataPlane({
    runtimes: [{ runtimeArn, target: puppet.target, endSession }],
    credentials: [credentials],
    sessionStartMs: START_MS,
  });
  client = new BedrockAgentCoreClient({ region, endpoint: plane.url, credentials, maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await plane.close();
});

async function open(sessionId: string): Promise<WebSocket> {
  const arn = parseRuntimeArn(runtimeArn);
  const origin = new URL(plane.url);
  const { url, headers } = await signUpgrade(
    { arn, origin, qualifier: 'DEFAULT', sessionId },
    async () => credentials,
  );
  return opened(new WebSocket(url, { headers }));
}

function opened(ws: WebSocket): Promise<WebSocket> {
  return new Promise((resolve, reject) => ws.once('open', () => resolve(ws)).once('error', reject));
}

function invoke(runtimeSessionId: string, prompt = script({ send: 'fine' }), more: object = {}) {
  const payload = Buffer.from(JSON.stringify({ prompt }));
  return client.send(
    new InvokeAgentRuntimeCommand({ agentRuntimeArn: runtimeArn, runtimeSessionId, payload, ...more }),
  );
}

const stop = (runtimeSessionId: string, more: Partial<StopRuntimeSessionCommandInput> = {}) =>
  client.send(new StopRuntimeSessionCommand({ agentRuntimeArn: runtimeArn, runtimeSessionId, ...more }));

const token = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the start of a session', () => {
  test('takes its time for the first upgrade, and none for the next', async () => {
    const sessionId = newSessionId();
    const startedAt = performance.now();
    (await open(sessionId)).terminate();
    const firstMs = performance.now() - startedAt;

    const order: string[] = [];
    const openAs = async (name: string, id: string) => {
      const ws = await open(id);
      order.push(name);
      ws.terminate();
    };
    await Promise.all([openAs('fresh', newSessionId()), openAs('known', sessionId)]);

    expect(firstMs).toBeGreaterThanOrEqual(START_MS - 1);
    expect(order).toEqual(['known', 'fresh']);
    expect(plane.sessionStarts).toBe(2);
  });

  test('is one for all requests that come meanwhile, upgrades and invocations alike', async () => {
    const sessionId = newSessionId();

    const [first, second, answer] = await Promise.all([open(sessionId), open(sessionId), invoke(sessionId)]);

    expect(answer.statusCode).toBe(200);
    expect(plane.sessionStarts).toBe(1);
    first.terminate();
    second.terminate();
  });

  test('is paid by every request that names no session', async () => {
    await client.send(
      new InvokeAgentRuntimeCommand({ agentRuntimeArn: runtimeArn, payload: Buffer.from('{"prompt":"[]"}') }),
    );
    await client.send(
      new InvokeAgentRuntimeCommand({ agentRuntimeArn: runtimeArn, payload: Buffer.from('{"prompt":"[]"}') }),
    );

    expect(plane.sessionStarts).toBe(2);
  });
});

describe('StopRuntimeSession', () => {
  test('ends the open sockets and answers of the session, and its container forgets it', async () => {
    const [sessionId, otherId] = [newSessionId(), newSessionId()];
    const [ws, other, answer] = await Promise.all([
      open(sessionId),
      open(otherId),
      invoke(sessionId, script({ send: 'begun' }, { sleepMs: 60_000 })),
    ]);
    const closed = new Promise((resolve) => ws.once('close', resolve));
    const broken = answer.response?.transformToString().then(
      () => 'whole',
      () => 'broken off',
    );

    const stopped = await stop(sessionId);

    expect(stopped).toMatchObject({ statusCode: 200, runtimeSessionId: sessionId });
    expect(await closed).toBe(1006);
    expect(await broken).toBe('broken off');
    expect(forgotten).toEqual([sessionId]);
    expect(plane.isUp(runtimeArn, sessionId)).toBe(false);
    expect([other.readyState, plane.isUp(runtimeArn, otherId)]).toEqual([WebSocket.OPEN, true]);
    await until(() => plane.connections.size === 1, 'the other connection is the only one');
    other.terminate();
  });

  test('lets the next request with the id start anew', async () => {
    const sessionId = newSessionId();
    await invoke(sessionId);
    await stop(sessionId);
    const startedAt = performance.now();

    await invoke(sessionId);

    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(START_MS - 1);
    expect(plane.sessionStarts).toBe(2);
  });

  test('is answered 404 where no such session runs, and where it was stopped before', async () => {
    const sessionId = newSessionId();

    await expect(stop(sessionId)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await invoke(sessionId);
    await stop(sessionId);
    await expect(stop(sessionId)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('is answered with a retryable conflict while the session starts, and so is all while it ends', async () => {
    const sessionId = newSessionId();
    const ended = Promise.withResolvers<void>();
    forgetting = ended.promise;
    const starting = invoke(sessionId);
    await until(() => plane.sessionStarts === 1, 'the session starts');
    const tooEarly = await stop(sessionId).catch((error) => error);
    await starting;

    const stopping = stop(sessionId);
    await until(() => forgotten.length === 1, 'the session ends');
    const meanwhile = await Promise.all(
      [invoke(sessionId), stop(sessionId)].map((request) => request.catch((error) => error)),
    );
    ended.resolve();
    await stopping;

    for (const refused of [tooEarly, ...meanwhile]) {
      expect(refused).toMatchObject({
        name: 'RetryableConflictException',
        $metadata: { httpStatusCode: 409 },
      });
    }
  });

  test('does nothing for a token that it has seen, and refuses it for another session', async () => {
    const [sessionId, otherId] = [newSessionId(), newSessionId()];
    const clientToken = token('once');
    await Promise.all([invoke(sessionId), invoke(otherId)]);
    await stop(sessionId, { clientToken });
    await invoke(sessionId);

    const again = await stop(sessionId, { clientToken });

    expect(again.statusCode).toBe(200);
    expect(plane.isUp(runtimeArn, sessionId)).toBe(true);
    await expect(stop(otherId, { clientToken })).rejects.toMatchObject({ name: 'ValidationException' });
    expect(plane.isUp(runtimeArn, otherId)).toBe(true);
  });

  test.each([
    ['a short token', { clientToken: 'short' }, /clientToken/],
    ['a token of other characters', { clientToken: '_'.repeat(40) }, /clientToken/],
    ['a short session id', { runtimeSessionId: 'short' }, /runtimeSessionId/],
    ['an id without its account', { agentRuntimeArn: 'Puppet-0123456789' }, /accountId/],
  ])('refuses %s', async (_what, input, message) => {
    const refused = stop(newSessionId(), input);

    await expect(refused).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
  });

  test('is signed like every other operation', async () => {
    const stranger = new BedrockAgentCoreClient({
      region,
      endpoint: plane.url,
      credentials: { ...credentials, secretAccessKey: 'wrong' },
      maxAttempts: 1,
    });
    const command = new StopRuntimeSessionCommand({
      agentRuntimeArn: runtimeArn,
      runtimeSessionId: newSessionId(),
    });

    await expect(stranger.send(command)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    stranger.destroy();
  });
});

test.each(['onboarding', 'provisioning', 'mwc'] as const)(
  'the local agent %s forgets a session that was stopped',
  async (agentId) => {
    const system = await startSystem({ agents: { tokenDelayMs: 0 } });
    const agent = system.agents.find(({ id }) => id === agentId);
    const sdk = new BedrockAgentCoreClient({
      region: 'us-east-1',
      endpoint: system.dataPlane.url,
      credentials: LOCAL_CREDENTIALS,
    });
    const sessionId = newSessionId();
    const ask = (prompt: string) => invokeSse(system.url, { agentId, prompt, sessionId });
    try {
      await ask('a shop');
      const remembered = await ask('a blog');
      await sdk.send(
        new StopRuntimeSessionCommand({ agentRuntimeArn: agent?.runtimeArn, runtimeSessionId: sessionId }),
      );

      const answer = await ask('a forum');

      expect(remembered.text).toContain('Earlier in this session you asked for: "a shop"');
      expect(answer.last).toMatchObject({ done: true });
      expect(answer.text).not.toContain('Earlier in this session');
      expect(await agent?.promptsReceived(sessionId)).toBe(1);
    } finally {
      sdk.destroy();
      await system.close();
    }
  },
);

describe('a runtime that is named by its id', () => {
  const agentRuntimeArn = 'Puppet-0123456789';

  test('is found with its account, as the AWS SDK asks for it', async () => {
    const answer = await invoke(newSessionId(), script({ send: 'fine' }), { agentRuntimeArn, accountId });

    expect(await answer.response?.transformToString()).toBe('fine');
  });

  test.each([
    ['no account', {}, 'ValidationException'],
    ['something that is no account', { accountId: '1234' }, 'ValidationException'],
    ['another account', { accountId: '999999999999' }, 'ResourceNotFoundException'],
    ['another id', { agentRuntimeArn: 'Muppet-0123456789', accountId }, 'ResourceNotFoundException'],
  ])('is refused with %s', async (_what, more, name) => {
    const refused = invoke(newSessionId(), script(), { agentRuntimeArn, ...more });

    await expect(refused).rejects.toMatchObject({ name });
  });
});

describe('a presigned upgrade, as the AgentCore SDK makes it', () => {
  const awsHost = `bedrock-agentcore.${region}.amazonaws.com`;
  const sdk = new RuntimeClient({ region, credentialsProvider: async () => credentials });
  /** The SDK signs for AWS's own host; the bytes of its URL go to the data plane here. */
  const dial = (signed: string) =>
    opened(
      new WebSocket(signed.replace(`wss://${awsHost}`, plane.url.replace(/^http/, 'ws')), {
        headers: { host: awsHost },
        perMessageDeflate: false,
      }),
    );

  test('is accepted, with its session and its custom headers', async () => {
    const sessionId = newSessionId();
    const signed = await sdk.generatePresignedUrl({
      runtimeArn,
      sessionId,
      endpointName: 'DEFAULT',
      customHeaders: { 'X-Amzn-Bedrock-AgentCore-Runtime-Custom-Tenant': 'a & b' },
    });

    const ws = await dial(signed);

    expect(plane.isUp(runtimeArn, sessionId)).toBe(true);
    const headers = puppet.upgrades.at(-1);
    expect(headers).toMatchObject({
      'x-amzn-bedrock-agentcore-runtime-session-id': sessionId,
      'x-amzn-bedrock-agentcore-runtime-custom-tenant': 'a & b',
    });
    ws.terminate();
  });

  test('and one that is signed in its headers, too', async () => {
    const signed = await sdk.generateWsConnection({ runtimeArn, sessionId: newSessionId() });

    expect(signed.headers).toHaveProperty('authorization');
    const ws = await opened(
      new WebSocket(signed.url.replace(`wss://${awsHost}`, plane.url.replace(/^http/, 'ws')), {
        headers: { ...signed.headers, host: awsHost },
      }),
    );
    ws.terminate();
  });

  test('is refused when its session was changed, or a line break stands in a header', async () => {
    const sessionId = newSessionId();
    const signed = await sdk.generatePresignedUrl({ runtimeArn, sessionId });
    const forged = await sdk.generatePresignedUrl({
      runtimeArn,
      sessionId,
      customHeaders: { 'X-Amzn-Bedrock-AgentCore-Runtime-Custom-Tenant': 'a\r\nx-forged: b' },
    });

    await expect(dial(signed.replace(sessionId, newSessionId()))).rejects.toThrow('403');
    await expect(dial(forged)).rejects.toThrow('400');
    expect(plane.sessionStarts).toBe(0);
  });
});
