import { type Duration, Token } from 'aws-cdk-lib';
import { SETTINGS } from '../lambda/settings.ts';

/**
 * Checks of single values, for the props of the constructs and for the context keys of `bin/app.ts`. Tokens pass,
 * because their values are known only at deployment.
 */

/** The form of a stage, which becomes part of metric names, of searches and of the stack's name. */
export const STAGE_PATTERN = /^[a-z][a-z0-9-]{0,31}$/;

/** @throws Error naming the expected value and the given one */
export function checkStage(stage: string): void {
  expectText('stage', stage, STAGE_PATTERN, 'lower-case letters, digits and "-", such as prod');
}

/**
 * Checks a service name, which is the value of a metric's dimension and stands in quoted searches.
 *
 * @throws Error naming the expected value and the given one
 */
export function checkServiceName(serviceName: string): void {
  expectText(
    'serviceName',
    serviceName,
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    '1 to 128 letters, digits, ".", "_" or "-"',
  );
}

/**
 * Checks the name of a stack, or the beginning of one.
 *
 * @throws Error naming the expected value and the given one
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
 */
export function checkStackStatusPrefix(prefix: string): void {
  expectText(
    'stackStatusPrefix',
    prefix,
    /^(\*|[A-Za-z][A-Za-z0-9-]{0,127})$/,
    '"*" or the beginning of a stack name (a letter, then letters, digits or "-")',
  );
}

/** The most origins that a Function URL takes. @see https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html */
const MAX_ORIGINS = 100;

/**
 * Checks the origins that a page's `Origin` header is compared with.
 *
 * @throws Error naming the wrong origin and the form it must have
 */
export function checkOrigins(origins: readonly string[]): void {
  if (Token.isUnresolved(origins)) return;
  if (origins.length === 0 || origins.length > MAX_ORIGINS) {
    throw new Error(`allowedOrigins: expected 1 to ${MAX_ORIGINS} origins, got ${origins.length}`);
  }
  for (const origin of origins) {
    if (origin === '*' || Token.isUnresolved(origin)) continue;
    // URL.origin is what a browser sends: no path, no trailing slash, no default port, lower case.
    if (!/^https?:\/\/[^*]+$/.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error(
        `allowedOrigins: expected "*" or an origin such as https://app.example.com (no path, no trailing slash, no wildcard inside), got ${JSON.stringify(origin)}`,
      );
    }
  }
}

/** @throws Error naming the number, the expected value and the given one */
export function checkWholeNumber(
  label: string,
  value: number,
  minimum: number,
  maximum?: number,
  unit = '',
): void {
  if (Token.isUnresolved(value)) return;
  if (Number.isSafeInteger(value) && value >= minimum && value <= (maximum ?? value)) return;
  const range = maximum === undefined ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new Error(`${label}: expected a whole number ${range}${unit}, got ${JSON.stringify(value)}`);
}

/**
 * Checks that Lambda offers a memory size, in MiB.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export function checkMemorySize(memorySize: number): void {
  checkWholeNumber('memorySize', memorySize, 128, 10_240, ' (MiB)');
}

/**
 * The longest time that Lambda lets a function run, in seconds.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const MAX_TIMEOUT_SECONDS = 900;

/**
 * Checks a function's timeout, which must leave time for an answer before the reserve begins.
 *
 * @throws Error naming the expected value and the given one
 */
export function checkTimeout(timeout: Duration | undefined, deadlineReserve: Duration | undefined): void {
  const seconds = (duration: Duration | undefined, otherwise: number) => {
    if (duration?.isUnresolved()) return undefined;
    return duration?.toSeconds({ integral: false }) ?? otherwise;
  };
  const timeoutSeconds = seconds(timeout, MAX_TIMEOUT_SECONDS);
  const reserveSeconds = seconds(deadlineReserve, SETTINGS.deadlineReserve.default / 1000);
  if (timeoutSeconds === undefined) return;
  if (timeoutSeconds > MAX_TIMEOUT_SECONDS) {
    throw new Error(
      `timeout: expected at most 15 minutes, the most that Lambda allows, got ${timeoutSeconds} s`,
    );
  }
  if (reserveSeconds !== undefined && timeoutSeconds <= reserveSeconds) {
    throw new Error(
      `timeout: expected more than deadlineReserve (${reserveSeconds} s), or every request fails at once, got ${timeoutSeconds} s`,
    );
  }
}

/** @throws Error naming the label, the expected value and the given one */
function expectText(label: string, value: string, pattern: RegExp, expected: string): void {
  if (Token.isUnresolved(value) || pattern.test(value)) return;
  throw new Error(`${label}: expected ${expected}, got ${JSON.stringify(value)}`);
}
