import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { nowUs, stamp, textsOf } from '../inputs.ts';
import type { Pace } from './levels.ts';

// Run by scale.ts as a process of its own: an agent of thousands of sessions, paced by one clock.

const TICK_MS = 10;

interface Answer extends Pace {
  socket: WebSocket;
  sent: number;
  /** `performance.now()`. */
  dueAt: number;
}

const answers = new Set<Answer>();
const [text = ''] = textsOf({ messages: 1, bytes: 60 });

const server = createServer();
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data) => {
    const { prompt } = JSON.parse(data.toString()) as { prompt: string };
    const pace = JSON.parse(prompt) as Pace;
    // Spread over an interval, as callers are: the crowd that came at once does not beat as one.
    const dueAt = performance.now() + Math.random() * (1000 / pace.perSecond);
    const answer = { ...pace, socket, sent: 0, dueAt };
    answers.add(answer);
    socket.once('close', () => answers.delete(answer));
  });
});

setInterval(() => {
  const now = performance.now();
  for (const answer of answers) {
    if (answer.dueAt > now) continue;
    answer.dueAt += 1000 / answer.perSecond;
    if (answer.sent < answer.messages) {
      answer.sent += 1;
      answer.socket.send(Buffer.from(stamp(nowUs()) + text, 'latin1'), { binary: false });
    } else {
      answers.delete(answer);
      answer.socket.send('[DONE]');
    }
  }
}, TICK_MS);

server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on('disconnect', () => process.exit());
