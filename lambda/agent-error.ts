import type { AgentError } from './errors.ts';

const MAX_MESSAGE_LENGTH = 2000;
const MAX_NAME_LENGTH = 100;

/** The beginning of a Python traceback, of its first file, or of a JavaScript stack. */
const STACK = /Traceback \(most recent call last\)|\n[ \t]+(?:at\s|File ")/;

/** Limits the error that an agent reports to 2,000 characters, and cuts it before a traceback or stack. */
export function boundedAgentError(reported: {
  type?: string | undefined;
  code?: string | number | undefined;
  message: string;
}): AgentError {
  const { type, code } = reported;
  return {
    ...(type !== undefined && { type: type.slice(0, MAX_NAME_LENGTH) }),
    ...(code !== undefined && { code: typeof code === 'string' ? code.slice(0, MAX_NAME_LENGTH) : code }),
    message: withoutStack(reported.message),
  };
}

/** Writes an error of unknown form as JSON, with each of its strings limited and cut before a stack. */
export function textOfUnknownError(value: unknown): string {
  const cut = (_key: string, part: unknown) => (typeof part === 'string' ? withoutStack(part) : part);
  try {
    return JSON.stringify(value, cut);
  } catch {
    // The value is nested too deeply for the call stack.
    return 'no message';
  }
}

function withoutStack(text: string): string {
  // The text may be a megabyte, so it is cut before the search.
  const start = text.slice(0, MAX_MESSAGE_LENGTH);
  const at = start.search(STACK);
  return (at < 0 ? start : start.slice(0, at).trimEnd()).toWellFormed();
}
