import type { AgentError, AgentErrorCode } from '../../client/stream-agent.ts';

/** What a failure means for the person in front of the page. */
export interface Explanation {
  title: string;
  /** What to do, or to expect. */
  advice: string;
  /** Whether sending the same prompt again makes sense. */
  again: string;
  /** What the service said, where that says more. */
  said: string | undefined;
}

const WORDS: Record<AgentErrorCode, [title: string, advice: string, adviceAfterText?: string]> = {
  BadRequest: ['The request was not understood', 'Something in it is missing or malformed.'],
  Unauthenticated: [
    'The service could not prove who it is',
    'Its AWS credentials are missing, wrong or expired. Whoever runs it has to renew them.',
  ],
  AccessDenied: [
    'The service may not call this agent',
    'A permission is missing. Whoever runs it has to grant it.',
  ],
  AgentNotFound: ['There is no such agent', 'It is not configured here, or its runtime no longer exists.'],
  NotFound: [
    'There is nothing at this address',
    'The page asked for something that the service does not have.',
  ],
  MethodNotAllowed: ['The service does not take this kind of request', 'This is a fault of the page.'],
  SessionBusy: [
    'Still answering',
    'Another answer of this session is running. Wait for its end, or stop it.',
  ],
  PayloadTooLarge: ['The prompt is too long', 'Shorten it and send it again.'],
  UnsupportedEncoding: ['The service does not take this kind of request', 'This is a fault of the page.'],
  Throttled: ['Too many requests at the moment', 'The agent or the service has reached a limit.'],
  Internal: ['Something went wrong inside the service', 'The request id below finds it in the logs.'],
  AgentFailed: ['The agent failed', 'It reported an error, or did not answer as agents do.'],
  AgentInterrupted: [
    'The connection to the agent was lost',
    'No text had arrived.',
    'What had arrived is shown above.',
  ],
  AgentUnavailable: ['The agent cannot be reached', 'It may be starting, busy, or down.'],
  AgentTimeout: [
    'The agent took too long',
    'It did not answer within the time it has.',
    'It stopped answering before its answer was complete.',
  ],
  ResponseTooLarge: [
    'The answer is longer than a response may be',
    'Everything up to the limit is shown above.',
  ],
  NetworkError: ['No answer from the server', 'Is it running, and is this computer online?'],
  StreamTruncated: ['The answer broke off', 'The connection was lost before the answer was complete.'],
  UnexpectedResponse: [
    'The server answered with something else',
    'Something in front of the service replied.',
  ],
};

/** What stands in front of the service refuses the person; a refusal of the service's own names the agent. */
const REFUSED: [title: string, advice: string] = [
  'You are not allowed to call this service',
  'The request is not signed, or its signer lacks a permission.',
];

/** Puts an error into words that its reader can act on. */
export function explain(error: AgentError): Explanation {
  const [title, advice, adviceAfterText = advice] = isRefusedInFront(error)
    ? REFUSED
    : (WORDS[error.code] ?? ['The answer failed', '']);
  // What it adds about the prompt is said in `again`.
  const said = error.message.split('. The agent may have acted', 1)[0] ?? '';
  const isNews = !title.toLowerCase().endsWith(said.toLowerCase());
  return {
    title,
    advice: error.partialText === '' ? advice : adviceAfterText,
    again: again(error),
    said: isNews ? said : undefined,
  };
}

function isRefusedInFront({ status, details }: AgentError): boolean {
  return (status === 401 || status === 403) && details.agentId === undefined;
}

function again({ retryable, promptSent }: AgentError): string {
  // When is said by the button, which counts.
  if (retryable) return 'The agent did not get your prompt. Trying again is safe.';
  if (promptSent) {
    return 'The agent may have acted on your prompt. Ask it in this session what it did before you send it again.';
  }
  return 'The agent did not get your prompt. Sending it again unchanged will not help.';
}
