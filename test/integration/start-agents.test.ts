import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startDataPlane } from '../../local/aws/data-plane.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse } from '../fixtures/sse.ts';
import { type Started, startCommand } from '../fixtures/start-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'agents-'));
const runtimeArn = 'arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/Billing-0123456789';
const billing = { id: 'billing', name: 'BillingAgent', runtimeArn };
const said = script({ send: JSON.stringify({ event: { delta: 'of the path' } }) }, { send: '[DONE]' });

let puppet: PuppetAgent;
let started: Started | undefined;

beforeAll(async () => {
  puppet = await startPuppetAgent();
});
afterEach(() => started?.kill());
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await puppet.close();
});

function fileOf(content: unknown): string {
  const file = join(folder, 'agents.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const container = (id: string) => ['--agent', `${id}=${puppet.target.replace('http', 'ws')}/ws`];
const start = async (content: unknown, args: string[] = [], env?: NodeJS.ProcessEnv) => {
  started = await startCommand(['--agents', fileOf(content), ...args], env);
  return started;
};

describe('npm start -- --agents', () => {
  test.each([
    ['a list of agents', (agents: object[]) => agents],
    ['a file of a stage', (agents: object[]) => ({ stage: 'dev', agents })],
  ])('has the agents of %s, with all their keys, in containers of the developer', async (_what, fileWith) => {
    const agents = [
      { ...billing, qualifier: 'canary', textPath: 'event.delta', description: 'Bills' },
      { id: 'plain', name: 'PlainAgent', runtimeArn: runtimeArn.replace('Billing', 'Plain') },
    ];
    const { url } = await start(fileWith(agents), [...container('billing'), ...container('plain')]);

    const [byPath, plain] = await Promise.all(
      ['billing', 'plain'].map((agentId) => invokeSse(url, { agentId, prompt: said })),
    );
    const listed = (await (await fetch(`${url}/api/agents/list`)).json()) as { agents: object[] };

    expect([byPath?.text, plain?.text]).toEqual(['of the path', '{"event":{"delta":"of the path"}}']);
    expect(listed.agents).toMatchObject([
      { id: 'billing', arn: runtimeArn, aliasId: 'canary', description: 'Bills' },
      { id: 'plain', aliasId: 'DEFAULT' },
    ]);
  });

  test('needs no runtime yet: neither its ARN nor the parameter that will hold it', async () => {
    const { runtimeArn: _none, ...undeployed } = billing;
    const stored = { id: 'stored', name: 'StoredAgent', runtimeArn: 'ssm:/agents/stored/arn' };
    const { url } = await start([undeployed, stored], [...container('billing'), ...container('stored')]);

    for (const agentId of ['billing', 'stored']) {
      expect((await invokeSse(url, { agentId, prompt: said })).last).toMatchObject({ done: true });
    }
  });

  test('asks the local agent where an entry has its id and no container is given', async () => {
    const entry = { id: 'onboarding', name: 'Mine', runtimeArn, textPath: 'chunk' };
    const { url } = await start([entry]);

    const answer = await invokeSse(url, { agentId: 'Mine', prompt: 'a shop' });

    expect(answer.text).toContain('# Architecture for "a shop"');
  });

  test('asks two endpoints of one runtime, each in its own container', async () => {
    const canary = { ...billing, id: 'canary', name: 'Canary', qualifier: 'canary' };
    const other = await startPuppetAgent();
    try {
      const { url } = await start(
        [billing, canary],
        [...container('billing'), '--agent', `canary=${other.target}`],
      );

      await invokeSse(url, { agentId: 'canary', prompt: said });

      expect(other.prompts).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  test('says in one line what is wrong', async () => {
    const { child, output } = await start([{ ...billing, framing: 'xml' }], container('billing'));

    expect(child.exitCode).toBe(1);
    expect(output()).toMatch(/^--agents .*agents\.json: agent "billing": "framing" expected one of .*\n$/);
  });
});

describe('npm start -- --aws --agents', () => {
  const credentials = { accessKeyId: 'AKIADEVELOPER', secretAccessKey: 'of-the-developer' };

  test('asks the agents of the file in AWS, whatever AGENTS says', async () => {
    const dataPlane = await startDataPlane({
      runtimes: [{ runtimeArn, target: puppet.target }],
      credentials: [credentials],
    });
    try {
      const { url } = await start([{ ...billing, textPath: 'event.delta' }], ['--aws'], {
        AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: dataPlane.url,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: undefined,
        AGENTS: JSON.stringify([{ ...billing, id: 'other' }]),
      });

      const answer = await invokeSse(url, { agentId: 'billing', prompt: said });

      expect(answer.text).toBe('of the path');
      expect(dataPlane.upgrades).toBe(1);
    } finally {
      await dataPlane.close();
    }
  });
});
