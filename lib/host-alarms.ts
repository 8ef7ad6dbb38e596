import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { createAlarm } from './alarm.ts';
import type { HostAlarm, HostAlarmRule, HostWatch } from './host-watch.ts';

export interface HostAlarms {
  /** The alarms that this host has and others have not, by subject. */
  readonly host: Readonly<Partial<Record<HostAlarm, Alarm>>>;
}

/** Creates the alarms of a host. */
export function createHostAlarms(
  scope: Construct,
  { alarms }: HostWatch,
  runbookUrl: string | undefined,
): HostAlarms {
  const created = Object.entries(alarms).map(([name, rule]) => [name, createAlarm(scope, rule, runbookUrl)]);
  return { host: Object.fromEntries(created) };
}

/** Selects the alarms of a host that are reasons of a composite alarm. */
export function hostAlarmsOf(
  { host }: HostAlarms,
  { alarms }: HostWatch,
  composite: HostAlarmRule['reasonOf'],
): Alarm[] {
  return (Object.keys(host) as HostAlarm[])
    .filter((name) => alarms[name]?.reasonOf === composite)
    .flatMap((name) => host[name] ?? []);
}
