import type { AlarmState } from './metric-alarm.ts';

/**
 * What a composite alarm makes of the states of others: the part of its rules that this project uses.
 *
 * @param stateOf the state of an alarm by what the rule calls it
 * @throws Error at anything else
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
 */
export function holds(rule: string, stateOf: (alarm: string) => AlarmState): boolean {
  const tokens = rule.match(/"[^"]*"|[(),]|[A-Z_]+|\d+/g) ?? [];
  let at = 0;
  const take = (expected?: string): string => {
    const token = tokens[at] ?? '';
    if (expected !== undefined && token !== expected) {
      throw new Error(`expected ${expected} at ${at} of ${rule}, got "${token}"`);
    }
    at += 1;
    return token;
  };
  const alarmName = () => take().replaceAll('"', '');

  const either = (): boolean => {
    let left = both();
    while (tokens[at] === 'OR') {
      take();
      const right = both();
      left ||= right;
    }
    return left;
  };
  const both = (): boolean => {
    let left = one();
    while (tokens[at] === 'AND') {
      take();
      const right = one();
      left &&= right;
    }
    return left;
  };
  const one = (): boolean => {
    const token = take();
    if (token === '(') {
      const inner = either();
      take(')');
      return inner;
    }
    if (token === 'NOT') return !one();
    if (token === 'AT_LEAST') return atLeast();
    if (token !== 'ALARM' && token !== 'OK') throw new Error(`"${token}" was not expected in ${rule}`);
    take('(');
    const state = stateOf(alarmName());
    take(')');
    return state === token;
  };
  /** `AT_LEAST(2, ALARM, ("one", "other"))` */
  const atLeast = (): boolean => {
    take('(');
    const count = Number(take());
    take(',');
    const state = take();
    take(',');
    take('(');
    let met = 0;
    do {
      if (tokens[at] === ',') take();
      if (stateOf(alarmName()) === state) met += 1;
    } while (tokens[at] === ',');
    take(')');
    take(')');
    return met >= count;
  };

  const result = either();
  if (at !== tokens.length) throw new Error(`"${tokens[at]}" was not expected in ${rule}`);
  return result;
}
