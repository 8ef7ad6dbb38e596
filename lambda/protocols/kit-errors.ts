import type { Refusal } from '../answer/protocol.ts';
import type { StreamError } from '../errors.ts';

/** An error as one sentence for a reader, as a kit shows whatever text it gets. It names the request for the operator. */
export function errorSentence(error: StreamError, requestId: string): string {
  const { agentError } = error.details;
  const advice = error.publicMessage.slice(error.message.length);
  const said = agentError ? `${error.message}: ${agentError.message}` : error.message;
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}${advice} (request ${requestId})`;
}

/** A refusal for kits, which show the body of an error as it is; a program finds the rest in headers. */
export function refuseAsText(error: StreamError, requestId: string): Refusal {
  return {
    contentType: 'text/plain; charset=utf-8',
    headers: { 'X-Error-Code': error.code, 'X-Error-Retryable': String(error.retryable) },
    body: errorSentence(error, requestId),
  };
}
