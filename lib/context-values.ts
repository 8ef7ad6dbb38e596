import { Token } from 'aws-cdk-lib';
import { checkWholeNumber } from './checks.ts';

/**
 * Readers of single context values. With `-c` every value is text; in a file it may be a number, a list or an object.
 * Each reader throws an Error that names the key, the expected value and the given one.
 */

/** Reads a text that passes the check of a construct's prop. */
export function checkedText(key: string, given: unknown, check: (text: string) => unknown): string {
  if (typeof given !== 'string') throw new Error(`${key}: expected a text, got ${JSON.stringify(given)}`);
  check(given);
  return given;
}

/** Reads a text that matches the pattern; `expected` describes the pattern in words. */
export function matching(key: string, given: unknown, pattern: RegExp, expected: string): string {
  if (typeof given === 'string' && (Token.isUnresolved(given) || pattern.test(given))) return given;
  throw new Error(`${key}: expected ${expected}, got ${JSON.stringify(given)}`);
}

/** Reads one of the names of a table and returns the table's value for it. */
export function choice<Value>(key: string, given: unknown, choices: Readonly<Record<string, Value>>): Value {
  if (typeof given === 'string' && Object.hasOwn(choices, given)) return choices[given] as Value;
  throw new Error(`${key}: expected one of ${Object.keys(choices).join(', ')}, got ${JSON.stringify(given)}`);
}

/** The choices of a switch. */
export const ON_OR_OFF = { on: true, off: false } as const;

/** Reads a whole number, which may be given as text. */
export function wholeNumber(key: string, given: unknown, minimum: number, maximum?: number): number {
  const value = numberOf(given);
  checkWholeNumber(key, value, minimum, maximum);
  return value;
}

/**
 * Turns the text of a whole number into the number. Any other value is returned as given, for a later check to refuse.
 */
export function numberOf(given: unknown): number {
  return /^\d{1,9}$/.test(String(given)) ? Number(given) : (given as number);
}

/** Reads a JSON value, which may be given as text. Its error does not name the key: {@link labelled} adds it. */
export function parsed(value: unknown, expected: string): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new Error(`expected ${expected}, got ${JSON.stringify(value)}`, { cause });
  }
}

/** Puts the key before the message of an error. */
export function labelled<Value>(key: string, run: () => Value): Value {
  try {
    return run();
  } catch (cause) {
    throw new Error(`${key}: ${(cause as Error).message}`, { cause });
  }
}
