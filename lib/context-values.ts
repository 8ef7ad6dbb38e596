import { Token } from 'aws-cdk-lib';
import { checkWholeNumber } from './checks.ts';

/**
 * Readers of single context values. With `-c` every value is text; in a file it may be a number, a list or an object.
 * Each of them throws an Error that names the key, what was expected and what came.
 */

/** A text that passes the check of a construct's prop. */
export function checkedText(key: string, came: unknown, check: (text: string) => unknown): string {
  if (typeof came !== 'string') throw new Error(`${key}: expected a text, got ${JSON.stringify(came)}`);
  check(came);
  return came;
}

/** A text of a form that `expected` describes. */
export function matching(key: string, came: unknown, pattern: RegExp, expected: string): string {
  if (typeof came === 'string' && (Token.isUnresolved(came) || pattern.test(came))) return came;
  throw new Error(`${key}: expected ${expected}, got ${JSON.stringify(came)}`);
}

/** One of the names of a table; returns what the table has for it. */
export function choice<Value>(key: string, came: unknown, choices: Readonly<Record<string, Value>>): Value {
  if (typeof came === 'string' && Object.hasOwn(choices, came)) return choices[came] as Value;
  throw new Error(`${key}: expected one of ${Object.keys(choices).join(', ')}, got ${JSON.stringify(came)}`);
}

/** What is switched `on` or `off`. */
export const ON_OR_OFF = { on: true, off: false } as const;

/** A whole number, also as text. */
export function wholeNumber(key: string, came: unknown, minimum: number, maximum?: number): number {
  const value = numberOf(came);
  checkWholeNumber(key, value, minimum, maximum);
  return value;
}

/** What is no whole number stays as it is, for the check that follows. */
export function numberOf(came: unknown): number {
  return /^\d{1,9}$/.test(String(came)) ? Number(came) : (came as number);
}

/** A JSON value, also as text; the error has no key yet, see {@link labelled}. */
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
