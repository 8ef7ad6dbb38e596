import { once } from 'node:events';
import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { RuntimeClient } from 'bedrock-agentcore/runtime';
import WebSocket from 'ws';
import { isEnd, messagesOf, type Question } from './upstream.ts';

const client = new RuntimeClient();

/** AWS's own WebSocket signer in the place of ours. */
export const handler = awslambda.streamifyResponse(async (event: LambdaFunctionURLEvent, stream) => {
  const response = awslambda.HttpResponseStream.from(stream, {
    statusCode: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  });
  const { prompt, sessionId } = JSON.parse(event.body ?? '') as Question;
  const { url, headers } = await client.generateWsConnection({
    runtimeArn: process.env.AGENT_RUNTIME_ARN ?? '',
    sessionId,
  });
  const ws = new WebSocket(url, { headers, perMessageDeflate: false });
  await once(ws, 'open');
  ws.send(JSON.stringify({ prompt, sessionId }));
  for await (const [message] of messagesOf(ws)) {
    if (isEnd(message)) break;
    if (!response.write(message)) await once(response, 'drain');
  }
  ws.close();
  response.end();
});
