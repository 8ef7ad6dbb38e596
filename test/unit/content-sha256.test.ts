import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { withContentSha256 } from '../../client/content-sha256.ts';
import { streamAgent } from '../../client/stream-agent.ts';

let server: Server;
let url: string;
let came: { headers: IncomingHttpHeaders; body: Buffer }[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    came.push({ headers: request.headers, body: Buffer.concat(parts) });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('data: {"done":true,"sessionId":"s","chunks":0,"bytes":0,"durationMs":1}\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
beforeEach(() => {
  came = [];
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('hex');

test('the hash of what arrives is in the header that CloudFront signs, and the other headers are kept', async () => {
  const options = { agentId: 'a', prompt: 'ein Gruß 👋', fetch: withContentSha256() };

  for await (const _event of streamAgent(url, options));

  const [request] = came;
  expect(request?.headers['x-amz-content-sha256']).toBe(sha256(request?.body ?? Buffer.alloc(0)));
  expect(request?.headers['content-type']).toBe('application/json');
  expect(request?.body.toString()).toContain('ein Gruß 👋');
});

test('bytes are hashed as they are', async () => {
  const bytes = new Uint8Array([0, 255, 128]);

  await withContentSha256()(url, { method: 'POST', body: bytes });

  expect(came[0]?.headers['x-amz-content-sha256']).toBe(sha256(Buffer.from(bytes)));
});

test('a request without a body is sent as it is', async () => {
  await withContentSha256()(url, { method: 'GET' });

  expect(came[0]?.headers).not.toHaveProperty('x-amz-content-sha256');
});

test('a body that cannot be hashed is refused, and nothing is sent', async () => {
  const form = new FormData();

  await expect(withContentSha256()(url, { method: 'POST', body: form })).rejects.toThrow(
    'withContentSha256: expected a body of text or bytes',
  );
  expect(came).toEqual([]);
});

test('another fetch sends it', async () => {
  const sent: RequestInit[] = [];
  const fetch = withContentSha256(async (_url, init) => {
    sent.push(init);
    return new Response('');
  });

  await fetch(url, { method: 'POST', body: 'x' });

  expect(new Headers(sent[0]?.headers).get('x-amz-content-sha256')).toBe(sha256(Buffer.from('x')));
});
