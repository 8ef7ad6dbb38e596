/** No contender: what a streaming function costs that does nothing. */
export const handler = awslambda.streamifyResponse(async (_event, stream) => {
  stream.write('empty');
  stream.end();
});
