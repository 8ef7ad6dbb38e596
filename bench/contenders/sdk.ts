import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BedrockAgentCoreClient, InvokeAgentRuntimeCommand } from '@aws-sdk/client-bedrock-agentcore';
import type { LambdaFunctionURLEvent } from 'aws-lambda';
import type { Question } from './upstream.ts';

const client = new BedrockAgentCoreClient();

/** The agent's HTTP entrypoint, piped. */
export const handler = awslambda.streamifyResponse(async (event: LambdaFunctionURLEvent, stream) => {
  const { prompt, sessionId } = JSON.parse(event.body ?? '') as Question;
  const { response, contentType } = await client.send(
    new InvokeAgentRuntimeCommand({
      agentRuntimeArn: process.env.AGENT_RUNTIME_ARN,
      runtimeSessionId: sessionId,
      contentType: 'application/json',
      accept: 'text/event-stream',
      payload: JSON.stringify({ prompt, sessionId }),
    }),
  );
  const answer = awslambda.HttpResponseStream.from(stream, {
    statusCode: 200,
    headers: { 'content-type': contentType },
  });
  await pipeline(response as unknown as Readable, answer);
});
