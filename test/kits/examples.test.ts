import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSignedFetch } from '../../examples/signed-fetch/signed-fetch.ts';
import { uiMessageStream } from '../../lambda/protocols/ui-message-stream.ts';
import { refuseSignature } from '../../local/aws/sigv4.ts';
import { writtenAnswer } from '../fixtures/written-answer.ts';
import { AI_RELEASES, createChat, textOf } from './clients.ts';

const root = join(import.meta.dirname, '../..');
interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}
const manifest = (folder: string) =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
const packagesOf = ({ dependencies, devDependencies }: Manifest) =>
  Object.entries({ ...dependencies, ...devDependencies });

describe('the examples', () => {
  const tested = Object.fromEntries(packagesOf(manifest('test/kits')));
  const examples = readdirSync(join(root, 'examples')).filter((name) => {
    try {
      return packagesOf(manifest(`examples/${name}`)).some(([dependency]) => dependency in tested);
    } catch {
      return false;
    }
  });

  test('are the ones that the pages are made of', () => {
    expect(examples).toEqual(['assistant-ui', 'copilotkit', 'signed-fetch', 'use-chat', 'vanilla']);
  });

  test.each(examples)('%s has exactly the versions that are tested', (name) => {
    const packages = packagesOf(manifest(`examples/${name}`));

    expect(packages.filter(([dependency, version]) => tested[dependency] !== version)).toEqual([]);
    expect(packages.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

describe('the fetch that signs', () => {
  const credentials = {
    accessKeyId: 'ASIAEXAMPLE000000001',
    secretAccessKey: 'secret-of-the-identity-pool',
    sessionToken: 'session-token/of+the==pool',
  };
  const requests: { refused: string | undefined }[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    const [path = '/', query = ''] = (request.url ?? '/').split('?');
    const { method = 'GET', headers } = request;
    const signed = { method, path, query, headers, body: await bodyOf(request) };
    const options = { credentials: [credentials], region: 'eu-west-1', service: 'lambda' };
    requests.push({
      refused: refuseSignature(signed, { ...options, now: Date.now(), clockSkewMs: 300_000 }),
    });
    response.writeHead(status, { 'content-type': status === 200 ? 'text/event-stream' : 'text/plain' });
    response.end(status === 200 ? writtenAnswer(uiMessageStream, [{ type: 'text', text: 'Hi' }]) : 'no');
  });
  let api: string;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    api = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/agents/a%2Fb/chat`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  const signedFetch = createSignedFetch({ region: 'eu-west-1', credentials: async () => credentials });

  test('makes a kit’s request one that AWS takes', async () => {
    requests.length = 0;
    const chat = createChat({ release: AI_RELEASES[7], api, fetch: signedFetch });

    await chat.sendMessage({ text: 'ü' });

    expect(requests).toEqual([{ refused: undefined }]);
    expect([chat.error, textOf(chat.messages[1])]).toEqual([undefined, 'Hi']);
  });

  test('sends a prompt once, also where the answer is an error', async () => {
    requests.length = 0;
    status = 503;

    const response = await signedFetch(api, { method: 'POST', body: 'x' });

    expect([response.status, requests.length]).toEqual([503, 1]);
  });
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}
