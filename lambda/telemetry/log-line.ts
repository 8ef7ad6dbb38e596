/** What goes into a line of the log, whoever writes it. */

export type Level = 'INFO' | 'WARN' | 'ERROR';
export type Fields = Record<string, unknown>;

/** Writes one line. */
export type WriteLine = (level: Level, message: string, fields: Fields) => void;

/** Longest text of an error, or of its stack. */
const MAX_ERROR_CHARS = 8000;
const MAX_CAUSES = 5;

/**
 * Fields with their errors as plain objects: name, message, code, stack and cause. An error's other properties stay
 * out: Node's HTTP parser hangs what it was reading on its errors, tens of kilobytes of it. What caused `error` is
 * a field of its own as well, to be listed and counted by.
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

/** Of a host with several addresses each has failed in its own way, and the error itself says nothing. */
function messageOf(error: Error): string {
  const { errors } = error as { errors?: unknown };
  return (
    error.message || (Array.isArray(errors) ? errors.filter(Error.isError).map(messageOf).join('; ') : '')
  );
}

function cut(text: string): string {
  return text.length > MAX_ERROR_CHARS ? `${text.slice(0, MAX_ERROR_CHARS)}…` : text;
}

/** For JSON.stringify, which leaves these as they are: terminal controls, and separators at which readers of lines break one. */
export function printable(_key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
