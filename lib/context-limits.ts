import { Duration } from 'aws-cdk-lib';
import { checkSetting, LAMBDA_SETTINGS, type Setting } from '../lambda/settings.ts';
import { nearest } from './context-keys.ts';
import { labelled, parsed } from './context-values.ts';
import type { LimitProps } from './environment.ts';

/** The limits by the names that documents and errors use: the names of their environment variables. */
export const LIMITS: readonly string[] = Object.values<Setting>(LAMBDA_SETTINGS).map(
  ({ variable }) => variable,
);

/** Reads `{"HANDSHAKE_TIMEOUT_MS": 90000}`. @throws Error naming the limit, the expected value and the given one */
export function limitsOf(given: unknown): LimitProps {
  const expected = 'a JSON object of limits such as {"HANDSHAKE_TIMEOUT_MS": 90000}';
  const limits = labelled('limits', () => parsed(given, expected));
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
    throw new Error(`limits: expected ${expected}, got ${JSON.stringify(given)}`);
  }
  const byVariable = new Map(
    Object.entries<Setting>(LAMBDA_SETTINGS).map(([name, setting]) => [setting.variable, { name, setting }]),
  );
  const props = Object.entries(limits).map(([variable, value]) => {
    const found = byVariable.get(variable);
    if (found === undefined) {
      const near = nearest(variable, LIMITS);
      throw new Error(
        `limits: unknown limit "${variable}": ${near === undefined ? `expected one of ${LIMITS.join(', ')}` : `did you mean "${near}"?`}`,
      );
    }
    const { name, setting } = found;
    checkSetting(`limits: ${variable}`, setting, value);
    return [name, durationOf(setting.unit, value as number) ?? value];
  });
  return Object.fromEntries(props) as LimitProps;
}

function durationOf(unit: Setting['unit'], value: number): Duration | undefined {
  if (unit === 'ms') return Duration.millis(value);
  return unit === 's' ? Duration.seconds(value) : undefined;
}
