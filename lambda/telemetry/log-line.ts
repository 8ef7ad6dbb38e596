/** This file makes the content of log lines, which `plain-log.ts` and `powertools.ts` write. */

export type Level = 'INFO' | 'WARN' | 'ERROR';
export type Fields = Record<string, unknown>;

/** Writes one line. */
export type WriteLine = (level: Level, message: string, fields: Fields) => void;

/** The longest text of an error, or of its stack. */
const MAX_ERROR_CHARS = 8000;
const MAX_CAUSES = 5;

/**
 * Replaces the errors among the fields by plain objects with name, message, code, stack and cause. Other properties are
 * left out: Node's HTTP parser, for example, adds tens of kilobytes of its input to its errors. The cause of `error`
 * becomes a separate field, too, so that queries can list it and count by it.
 */
export function loggable(fields: Fields): Fields {
  const { error } = fields;
  const cause = Error.isError(error) && Error.isError(error.cause) ? cut(messageOf(error.cause)) : undefined;
  const plain = Object.entries(fields).map(([key, value]) => [
    key,
    Error.isError(value) ? describe(value, 0) : value,
  ]);
  return { ...Object.fromEntries(plain), ...(cause !== undefined && { cause }) };
}

function describe(error: unknown, depth: number): unknown {
  if (!Error.isError(error)) return typeof error === 'string' ? cut(error) : typeof error;
  const { name, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const message = messageOf(error);
  return {
    name,
    message: cut(message),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(stack !== undefined && { stack: cut(stack) }),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: describe(cause, depth + 1) }),
  };
}

/**
 * Returns an error's message. When every address of a host fails, the error has no message, but a list of errors with
 * one for each address.
 */
function messageOf(error: Error): string {
  const { errors } = error as { errors?: unknown };
  return (
    error.message || (Array.isArray(errors) ? errors.filter(Error.isError).map(messageOf).join('; ') : '')
  );
}

function cut(text: string): string {
  return text.length > MAX_ERROR_CHARS ? `${text.slice(0, MAX_ERROR_CHARS)}…` : text;
}

/**
 * Terminal controls, and separators at which some readers of lines end a line: the characters that JSON.stringify does
 * not escape, but {@link printable} does.
 */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029]/g;

/** A replacer for JSON.stringify. It escapes characters that could end a line or control a terminal. */
export function printable(_key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Whether JSON needs no {@link printable}. One search is much cheaper than one for each value. */
export function isPrintable(json: string): boolean {
  return json.search(UNPRINTABLE) < 0;
}
