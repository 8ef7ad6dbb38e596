import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FaultProxyOptions, startFaultProxy } from '../../local/faults/fault-proxy.ts';

const PIECES = 400;
const numbered = Array.from({ length: PIECES }, (_, i) => `${i};`);

/** Sends its numbered pieces one by one, as fast as the event loop turns, then ends. */
async function sendPieces(socket: Socket): Promise<void> {
  socket.on('error', () => {}).setNoDelay(true);
  for (const piece of numbered) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  return text;
}

let target: Server;
/** What the target was sent, by connection. */
const uploads: Promise<string>[] = [];

beforeAll(async () => {
  target = createServer({ allowHalfOpen: true }, (socket) => {
    uploads.push(readAll(socket));
    void sendPieces(socket);
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  target.close();
});

test.each<[string, Omit<FaultProxyOptions, 'target'>]>([
  ['20 ms of latency', { latencyMs: 20 }],
  ['a fraction of a millisecond of latency', { latencyMs: 0.5 }],
  ['a limited rate', { bytesPerSecond: 20_000 }],
])('small pieces arrive in order and whole, both ways, through %s', async (_what, options) => {
  const { port } = target.address() as AddressInfo;
  const proxy = await startFaultProxy({ ...options, target: `http://127.0.0.1:${port}` });
  uploads.length = 0;
  try {
    const downloads = await Promise.all(
      Array.from({ length: 32 }, () => {
        const socket = connect({
          host: '127.0.0.1',
          port: Number(new URL(proxy.url).port),
          allowHalfOpen: true,
        });
        void sendPieces(socket);
        return readAll(socket);
      }),
    );

    const whole = numbered.join('');
    const wrong = [...downloads, ...(await Promise.all(uploads))].filter((text) => text !== whole);
    expect(uploads).toHaveLength(32);
    expect(wrong.length).toBe(0);
  } finally {
    await proxy.close();
  }
});
