import { request as httpRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type DataPlane, startDataPlane } from '../../local/aws/data-plane.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { onlyAgents, type Started, startCommand } from '../fixtures/start-command.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const credentials = { accessKeyId: 'AKIADEVELOPER', secretAccessKey: 'of-the-developer' };
const FOREIGN = [
  'https://evil.example',
  'http://127.0.0.1.evil.example',
  'http://localhost.evil.example',
  'null',
];
const OWN = ['http://127.0.0.1:8000', 'http://localhost:5173', 'https://app.localhost', 'http://[::1]:8000'];

let puppet: PuppetAgent;
let dataPlane: DataPlane;
let started: Started | undefined;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  dataPlane = await startDataPlane({
    runtimes: [{ runtimeArn, target: puppet.target }],
    credentials: [credentials],
  });
});
afterEach(() => started?.kill());
afterAll(async () => {
  await dataPlane.close();
  await puppet.close();
});

const MWC = onlyAgents('mwc');
const start = async (...args: string[]) => {
  started = await startCommand(['--session-start-ms', '0', ...MWC, ...args]);
  return started.url;
};
const startAws = async (...args: string[]) => {
  started = await startCommand(['--aws', '-c', `mwcAgentArn=${runtimeArn}`, ...args], {
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: dataPlane.url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: undefined,
    AGENTS: undefined,
  });
  return started.url;
};

interface Answer {
  status: number | undefined;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** A request as a browser would send it for a page: Host and Origin are what they are told to be. */
function send(url: string, headers: Record<string, string>, method = 'POST', path = '/'): Promise<Answer> {
  const prompt = script({ send: 'an answer' }, { send: '[DONE]' });
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const request = httpRequest({ hostname, port, path, method, headers }, (response) => {
      let body = '';
      response.on('data', (part) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    request.on('error', reject);
    request.end(method === 'POST' ? JSON.stringify({ agentId: 'mwc', prompt }) : undefined);
  });
}

test('a Host of this machine is answered', async () => {
  const url = await start();

  for (const host of ['127.0.0.1', 'localhost', 'agents.localhost:3000', '[::1]:3000', 'LOCALHOST']) {
    expect([host, (await send(url, { host }, 'GET', '/health')).status]).toEqual([host, 200]);
  }
});

test('a Host of another name is refused with 421, whatever is asked, before anything is done', async () => {
  const url = await start('--agent', `mwc=${puppet.target}`);
  const asked = puppet.prompts.length;

  for (const host of ['evil.example', '127.0.0.1.evil.example:3000', 'localhost.evil.example', '10.0.0.1']) {
    for (const [method, path] of [
      ['POST', '/'],
      ['GET', '/'],
      ['GET', '/api/agents/list'],
      ['GET', '/playground/metrics'],
      ['OPTIONS', '/'],
    ] as const) {
      const { status, headers, body } = await send(url, { host, accept: 'text/html' }, method, path);

      expect([host, method, path, status]).toEqual([host, method, path, 421]);
      expect(JSON.parse(body)).toEqual({ message: expect.stringContaining('--allow-origin') });
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
  }
  expect(puppet.prompts.length).toBe(asked);
});

describe('a foreign Origin', () => {
  test('is refused with 403 where agents in AWS are, before anything is sent', async () => {
    const url = await startAws();
    const asked = dataPlane.requests.length;

    for (const origin of FOREIGN) {
      const answers = [
        await send(url, { origin, 'content-type': 'text/plain' }),
        await send(url, { origin, 'access-control-request-method': 'POST' }, 'OPTIONS'),
        await send(url, { origin }, 'GET', '/api/agents/list'),
      ];

      for (const { status, headers, body } of answers) {
        expect([origin, status]).toEqual([origin, 403]);
        expect(JSON.parse(body)).toEqual({ message: expect.stringContaining('--allow-origin') });
        expect(headers).not.toHaveProperty('access-control-allow-origin');
      }
    }
    expect(dataPlane.requests.length).toBe(asked);
  });

  test("is refused where the developer's container is", async () => {
    const url = await start('--agent', `mwc=${puppet.target}`);
    const asked = puppet.prompts.length;

    const [origin = ''] = FOREIGN;

    expect((await send(url, { origin })).status).toBe(403);
    expect(puppet.prompts.length).toBe(asked);
  });

  test('is answered where all agents are the local ones', async () => {
    const url = await start();
    const [origin = ''] = FOREIGN;

    const { status, headers } = await send(url, { origin });

    expect([status, headers['access-control-allow-origin']]).toEqual([200, '*']);
  });

  test('is answered where --allow-origin names it, and so is a Host of that name', async () => {
    const [origin = ''] = FOREIGN;
    const url = await startAws('--allow-origin', 'https://app.example', '--allow-origin', origin);

    const { status, headers, body } = await send(url, { origin, host: 'evil.example' });

    expect([status, headers['access-control-allow-origin']]).toEqual([200, '*']);
    expect(body).toContain('an answer');
    expect((await send(url, { origin: `${origin}:8443` })).status).toBe(403);
  });
});

test('pages of this machine are answered, agents in AWS included', async () => {
  const url = await startAws();

  for (const origin of OWN) {
    const { status, body } = await send(url, { origin });

    expect([origin, status]).toEqual([origin, 200]);
    expect(body).toContain('an answer');
  }
});
