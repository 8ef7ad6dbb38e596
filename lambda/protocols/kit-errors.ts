import type { Refusal } from '../answer/protocol.ts';
import type { StreamError } from '../errors.ts';

/**
 * Writes an error as one sentence for a person, because a kit shows its text. It names the request for the operator.
 */
export function errorSentence(error: StreamError, requestId: string): string {
  const { agentError } = error.details;
  const advice = error.publicMessage.slice(error.message.length);
  const text = agentError ? `${error.message}: ${agentError.message}` : error.message;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${advice} (request ${requestId})`;
}

/** Makes a refusal for kits, which show the body of an error as it is. Programs read the code in the headers. */
export function refuseAsText(error: StreamError, requestId: string): Refusal {
  return {
    contentType: 'text/plain; charset=utf-8',
    headers: { 'X-Error-Code': error.code, 'X-Error-Retryable': String(error.retryable) },
    body: errorSentence(error, requestId),
  };
}
