import { createHash, createHmac } from 'node:crypto';
import { on, once } from 'node:events';
import { Readable } from 'node:stream';
import { SignatureV4 } from '@smithy/signature-v4';
import WebSocket from 'ws';

/** What a caller posts to each contender. */
export interface Question {
  prompt: string;
  sessionId: string;
}

const { AGENT_RUNTIME_ARN = '', AWS_ENDPOINT_URL_BEDROCK_AGENTCORE = '', AWS_REGION = '' } = process.env;

class Sha256 {
  readonly #hash;
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret ? createHmac('sha256', secret) : createHash('sha256');
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

const signer = new SignatureV4({
  service: 'bedrock-agentcore',
  region: AWS_REGION,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
    sessionToken: process.env.AWS_SESSION_TOKEN ?? '',
  },
  // Declared for any ArrayBuffer; strings and byte arrays are what comes.
  sha256: Sha256 as unknown as ConstructorParameters<typeof SignatureV4>[0]['sha256'],
});

/** Signs, opens and asks: the shortest correct way to an agent. */
export async function ask({ prompt, sessionId }: Question): Promise<WebSocket> {
  const path = `/runtimes/${encodeURIComponent(AGENT_RUNTIME_ARN)}/ws`;
  const url = new URL(`${path}?qualifier=DEFAULT`, AWS_ENDPOINT_URL_BEDROCK_AGENTCORE);
  const { headers } = await signer.sign({
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: { qualifier: 'DEFAULT' },
    headers: { host: url.host, 'x-amzn-bedrock-agentcore-runtime-session-id': sessionId },
  });
  const ws = new WebSocket(url, { headers, perMessageDeflate: false });
  await once(ws, 'open');
  ws.send(JSON.stringify({ prompt, sessionId }));
  return ws;
}

/** The messages of an answer, bounded: the agent waits while 16 of them do. */
export function messagesOf(ws: WebSocket): AsyncIterable<[Buffer]> {
  return on(ws, 'message', { close: ['close'], highWaterMark: 16, lowWaterMark: 4 }) as AsyncIterable<
    [Buffer]
  >;
}

export function isEnd(message: Buffer): boolean {
  return message.length === 6 && message.toString() === '[DONE]';
}

/** The same as a stream, for libraries that take one. */
export function streamOf(question: Question): ReadableStream<Uint8Array> {
  return Readable.toWeb(
    Readable.from(answerTo(question), { objectMode: false }),
  ) as ReadableStream<Uint8Array>;
}

async function* answerTo(question: Question): AsyncGenerator<Buffer> {
  const ws = await ask(question);
  try {
    for await (const [message] of messagesOf(ws)) {
      if (isEnd(message)) return;
      yield message;
    }
  } finally {
    ws.close();
  }
}
