import { once } from 'node:events';
import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { ask, isEnd, messagesOf, type Question } from './upstream.ts';

/** The floor: sign, open, write messages through. */
export const handler = awslambda.streamifyResponse(async (event: LambdaFunctionURLEvent, stream) => {
  const response = awslambda.HttpResponseStream.from(stream, {
    statusCode: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  });
  const ws = await ask(JSON.parse(event.body ?? '') as Question);
  for await (const [message] of messagesOf(ws)) {
    if (isEnd(message)) break;
    if (!response.write(message)) await once(response, 'drain');
  }
  ws.close();
  response.end();
});
