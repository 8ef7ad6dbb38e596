import { isUnauthenticated } from '../agentcore/failures.ts';
import type { Config } from '../config.ts';
import { StreamError } from '../errors.ts';

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html StackName */
const STACK_NAME = /^[a-zA-Z][a-zA-Z0-9-]{0,127}$/;

/** The longest wait for CloudFormation. A polling page asks again every 5 s. */
const MAX_WAIT_MS = 10_000;

/**
 * Reads a stack's state, in the shape of docs/openapi.yaml.
 *
 * @param remainingMs milliseconds until the invocation must be over
 * @throws StreamError BadRequest, NotFound, and the errors that CloudFormation's failures become
 */
export async function readStackStatus(
  stackName: string,
  { stackStatusPrefix }: Config,
  remainingMs: number,
): Promise<object> {
  if (stackStatusPrefix === undefined) throw new StreamError('NotFound', 'no such route');
  if (!STACK_NAME.test(stackName)) {
    throw new StreamError(
      'BadRequest',
      '"stackName": expected a letter, then up to 127 letters, digits or hyphens',
      { details: { fields: ['stackName'] } },
    );
  }
  if (!stackName.startsWith(stackStatusPrefix)) throw new StreamError('NotFound', 'no such stack');
  // The module is half a megabyte, and only this route needs it.
  const { describeStack } = await import('./stacks.ts');
  const signal = AbortSignal.timeout(Math.max(0, Math.min(MAX_WAIT_MS, remainingMs)));
  try {
    return await describeStack(stackName, signal);
  } catch (thrown) {
    if (signal.aborted) {
      throw new StreamError('AgentTimeout', 'CloudFormation took too long to answer', { cause: thrown });
    }
    throw failureOf(thrown as SdkError);
  }
}

interface SdkError extends Error {
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

/** Turns a failure of the SDK into a StreamError, first by the exception's name and then by the status. */
function failureOf(cause: SdkError): unknown {
  const { name, message, code, $metadata } = cause;
  const fail = (error: StreamError['code'], text: string) => new StreamError(error, text, { cause });
  // CloudFormation reports a missing stack as a ValidationError.
  if (name === 'ValidationError' && /does not exist/.test(message)) return fail('NotFound', 'no such stack');
  if (isUnauthenticated(name)) {
    return fail('Unauthenticated', "CloudFormation does not accept this service's credentials");
  }
  switch (name) {
    case 'CredentialsProviderError':
      return fail('Unauthenticated', 'this service has no AWS credentials');
    case 'AccessDenied':
    case 'AccessDeniedException':
      return fail('AccessDenied', 'this service is not allowed to describe the stack');
    case 'Throttling':
    case 'ThrottlingException':
    case 'RequestLimitExceeded':
      return fail('Throttled', 'CloudFormation is throttling requests');
  }
  const status = $metadata?.httpStatusCode;
  // The SDK calls a lost connection TimeoutError.
  const isUnreachable = status === undefined && (code !== undefined || name === 'TimeoutError');
  if (isUnreachable || (status ?? 0) >= 500) {
    return fail('AgentUnavailable', 'CloudFormation is not available');
  }
  return cause;
}
