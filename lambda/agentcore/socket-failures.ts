import { boundedAgentError } from '../agent-error.ts';
import { StreamError } from '../errors.ts';

/** Makes the error of a socket that could not be opened, or was lost before the prompt was handed over. */
export function failureOfSocket(cause: unknown): StreamError {
  const code = codeOf(cause);
  // An error without a system or TLS code comes from ws or the HTTP parser, and concerns the form of the answer.
  if (code === undefined || code.startsWith('HPE_')) {
    return new StreamError('AgentFailed', 'AgentCore gave an unexpected answer', { cause });
  }
  return new StreamError('AgentUnavailable', 'the agent cannot be reached', { cause, retry: 'backoff' });
}

/** Makes the error of a connection that broke during an answer. */
export function failureOfBreak(cause: unknown): StreamError {
  const code = codeOf(cause) ?? '';
  switch (code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return new StreamError('AgentFailed', 'the agent sent a message over the size limit', { cause });
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return new StreamError('AgentFailed', 'the agent sent a message in too many fragments', { cause });
    case 'WS_ERR_INVALID_UTF8':
      return new StreamError('AgentFailed', 'the agent sent bytes that are not UTF-8', { cause });
  }
  return code.startsWith('WS_ERR_')
    ? new StreamError('AgentFailed', 'the agent broke the WebSocket protocol', { cause })
    : new StreamError('AgentInterrupted', 'the connection to the agent was lost', { cause });
}

function codeOf(thrown: unknown): string | undefined {
  const { code } = thrown as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

const AT_A_LIMIT = 'AgentCore closed the connection at one of its limits';
const INTERRUPTED_BY: Record<number, string> = {
  1001: 'the agent went away',
  1006: 'the connection to the agent was lost',
  1008: AT_A_LIMIT,
};

/** The close code of frameworks' servers that cannot read their input. */
const UNACCEPTABLE = 1003;
const INPUT_HINT =
  'the agent may expect another input: an agent that speaks AG-UI needs "dialect": "ag-ui" in its entry, any other an "input" (see docs/agents.md)';

/** The known close reasons of AgentCore itself. Their numbers are quotas, which AWS changes. */
const OF_SERVICE = [
  /^Policy violated: Max connection duration of \d{1,4} (hour|minute)s? is exceeded$/,
  /^Policy violated: message size limit of \d{1,4} [KM]B for a message frame is exceeded$/,
];

/**
 * Whether a close reason is AgentCore's own, for a connection at one of its limits. Any other reason comes from the
 * agent, even if it begins in the same way: it may contain a prompt, and must not be logged.
 */
export function isOfService(reason: string): boolean {
  return OF_SERVICE.some((text) => text.test(reason));
}

/**
 * Returns the error of a close before the end of an answer; undefined for a clean close (1000, 1005).
 *
 * @param hasText whether a text of the answer has arrived, which means that the agent has understood its input
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
 */
export function failureOfClose(code: number, reason: string, hasText = false): StreamError | undefined {
  if (code === 1000 || code === 1005) return undefined;
  const cause = new Error(`the WebSocket was closed with ${code}`);
  const isAgents = code === 1008 && reason !== '' && !isOfService(reason);
  if (code === 1011 || isAgents) {
    return new StreamError('AgentFailed', 'the agent failed', {
      cause,
      details: { agentError: boundedAgentError({ code, message: reason }) },
    });
  }
  const how = isOfService(reason)
    ? AT_A_LIMIT
    : (INTERRUPTED_BY[code] ?? `the agent closed the connection with code ${code}`);
  return new StreamError('AgentInterrupted', how, {
    cause,
    ...(code === UNACCEPTABLE && !hasText && { details: { hint: INPUT_HINT } }),
  });
}
