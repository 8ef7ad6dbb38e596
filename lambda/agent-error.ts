import type { AgentError } from './errors.ts';

const MAX_MESSAGE_LENGTH = 2000;
const MAX_NAME_LENGTH = 100;

/** Where a Python traceback, its first file, or a JavaScript stack begins. */
const STACK = /Traceback \(most recent call last\)|\n[ \t]+(?:at\s|File ")/;

/** Bounds what an agent says of its failure: 2,000 characters, cut before a traceback or stack. */
export function boundedAgentError(said: {
  type?: string | undefined;
  code?: string | number | undefined;
  message: string;
}): AgentError {
  const { type, code } = said;
  return {
    ...(type !== undefined && { type: type.slice(0, MAX_NAME_LENGTH) }),
    ...(code !== undefined && { code: typeof code === 'string' ? code.slice(0, MAX_NAME_LENGTH) : code }),
    message: withoutStack(said.message),
  };
}

/** The same of a JSON value in which no message can be told: as JSON, each of its strings cut before a stack. */
export function textOfUnknownError(value: unknown): string {
  const cut = (_key: string, part: unknown) => (typeof part === 'string' ? withoutStack(part) : part);
  try {
    return JSON.stringify(value, cut);
  } catch {
    // Nested deeper than the stack is.
    return 'no message';
  }
}

function withoutStack(text: string): string {
  // Bounded before it is searched: it may be a megabyte.
  const start = text.slice(0, MAX_MESSAGE_LENGTH);
  const at = start.search(STACK);
  return (at < 0 ? start : start.slice(0, at).trimEnd()).toWellFormed();
}
