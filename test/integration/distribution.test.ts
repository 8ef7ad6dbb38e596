import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { withContentSha256 } from '../../client/content-sha256.ts';
import { type StreamAgentOptions, streamAgent } from '../../client/stream-agent.ts';
import { type System, startSystem } from '../../local/system.ts';
import { startSignedApi } from '../fixtures/aws-apis.ts';
import { startCloudFront } from '../fixtures/cloudfront.ts';

const REGION = 'eu-west-1';
const credentials = {
  accessKeyId: 'AKIACLOUDFRONT000001',
  secretAccessKey: 'cloudfront-secret-access-key-000000000001',
};

let system: System;
let functionUrl: Awaited<ReturnType<typeof startSignedApi>>;
let cloudFront: Awaited<ReturnType<typeof startCloudFront>>;

beforeAll(async () => {
  system = await startSystem({ agents: { only: ['onboarding'], tokenDelayMs: 8 } });
  functionUrl = await startSignedApi(
    { service: 'lambda', region: REGION, credentials },
    async ({ method, path, body }, response) => {
      const answer = await fetch(system.url + path, { method, ...(body && { body }) });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      for await (const part of answer.body ?? []) response.write(part);
      response.end();
    },
  );
  cloudFront = await startCloudFront(functionUrl.url, { region: REGION, credentials });
});
afterAll(async () => {
  await cloudFront.close();
  await functionUrl.close();
  await system.close();
});

const ask = async (url: string, fetch?: StreamAgentOptions['fetch']) => {
  const types: string[] = [];
  const options = { agentId: 'onboarding', prompt: 'a static website, für München', ...(fetch && { fetch }) };
  for await (const { type } of streamAgent(url, options)) types.push(type);
  return types;
};

test('the client’s hash is what CloudFront signs, and the answer streams through', async () => {
  const types = await ask(cloudFront.url, withContentSha256());

  expect(types[0]).toBe('start');
  expect(types.filter((type) => type === 'chunk').length).toBeGreaterThan(5);
  expect(types.at(-1)).toBe('done');
});

test('a POST without the hash is answered 403, as CloudFront then signs for an empty body', async () => {
  await expect(ask(cloudFront.url)).rejects.toMatchObject({ code: 'AccessDenied', status: 403 });
});

test('a GET needs none', async () => {
  const response = await fetch(`${cloudFront.url}/health`);

  expect(response.status).toBe(200);
});

test('the URL itself is closed to whoever does not sign', async () => {
  await expect(ask(functionUrl.url, withContentSha256())).rejects.toMatchObject({ status: 403 });
});
