import type { Prelude, ResponseStream } from '../answer/response.ts';
import { readConfig } from '../config.ts';
import { createService } from '../http/service.ts';
import { type FunctionUrlEvent, toRequest } from './function-url-event.ts';

/** The part of the runtime's context that is used here. */
interface InvocationContext {
  awsRequestId: string;
  xRayTraceId?: string;
  getRemainingTimeInMillis(): number;
}

/** The global object that the runtime makes before it loads this file. */
declare const awslambda: {
  streamifyResponse<Handler>(handler: Handler): Handler;
  HttpResponseStream: { from(stream: ResponseStream, prelude: Prelude): ResponseStream };
};

const service = createService(readConfig());
// The session store loads in init, where no answer waits for it.
if (service.ready) await service.ready;

/**
 * The Lambda function: it takes a Function URL's event and streams an HTTP answer. It never rejects and always ends the
 * stream, because anything else would cost the environment.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
 */
export const handler = awslambda.streamifyResponse(
  (event: FunctionUrlEvent | null, stream: ResponseStream, context: InvocationContext): Promise<void> =>
    service.answer(toRequest(event, { requestId: context.awsRequestId, traceId: context.xRayTraceId }), {
      respond: (prelude) => awslambda.HttpResponseStream.from(stream, prelude),
      remainingMs: () => context.getRemainingTimeInMillis(),
    }),
);
