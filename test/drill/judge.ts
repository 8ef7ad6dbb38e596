import type { ToldMessage } from './drill.ts';
import type { Told } from './incidents.ts';

/** What is wrong with what somebody was told of an incident; nothing where it is as it should be. */
export function problemsOf(told: readonly ToldMessage[], expected: Told | undefined): string[] {
  const begun = told.filter(({ state }) => state === 'ALARM');
  if (!expected) return begun.map(({ alarm }) => `nobody was to be told, and ${alarm} did`);
  const index = begun.findIndex(({ alarm }) => alarm === expected.by);
  const message = begun[index];
  if (!message) return [`${expected.by} told nobody, only ${begun.map(({ alarm }) => alarm).join(', ')}`];
  const problems: string[] = [];
  if (message.afterMin < 0) problems.push('somebody was told before it began');
  if (message.afterMin > expected.withinMin) {
    problems.push(`${expected.by} told after ${message.afterMin} min, not within ${expected.withinMin}`);
  }
  if (!message.reason.some((alarm) => expected.reason.test(alarm))) {
    problems.push(`the reason is ${message.reason.join(', ')}, not ${expected.reason}`);
  }
  // With few requests the first agent of several is seen some minutes before the second.
  const mayPrecede = expected.by === 'UsersAreAffected';
  const others = begun.filter(
    ({ alarm }, i) => i !== index && !(mayPrecede && i < index && alarm.startsWith('AgentFails')),
  );
  if (others.length > 0 && !expected.mayRecur)
    problems.push(`beside it ${others.map(({ alarm }) => alarm).join(', ')} told as well`);
  if (!told.some(({ alarm, state }) => alarm === expected.by && state === 'OK'))
    problems.push('its end was not told');
  return problems;
}
