import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import WebSocket from 'ws';

// The floor: the shortest proxy that passes an agent's messages on, many in a process. It signs nothing.

const { AWS_ENDPOINT_URL_BEDROCK_AGENTCORE = '' } = process.env;

const server = createServer(async (request, response) => {
  const { prompt, sessionId } = JSON.parse(await text(request)) as { prompt: string; sessionId: string };
  const ws = new WebSocket(AWS_ENDPOINT_URL_BEDROCK_AGENTCORE.replace(/^http/, 'ws'), {
    perMessageDeflate: false,
  });
  response.on('close', () => ws.terminate());
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  await once(ws, 'open');
  ws.send(JSON.stringify({ prompt, sessionId }));
  ws.on('message', (message: Buffer) => {
    if (message.length === 6 && message.toString() === '[DONE]') {
      response.end();
      ws.close();
    } else if (!response.write(message)) {
      ws.pause();
      response.once('drain', () => ws.resume());
    }
  });
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ message: 'Listening', url: `http://127.0.0.1:${port}` }));
});
