import type { IMetric, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmRule } from './alarm.ts';
import type { Article } from './runbook.ts';
import type { AgentStreamFunction } from './streaming-function.ts';
import type { AgentStreamWebFunction } from './web-function.ts';

/** A construct that answers and is watched. All of them emit the same metrics of their answers and write the same log. */
export type WatchedStream = AgentStreamFunction | AgentStreamWebFunction;

/** The alarms that not every host has. */
export type HostAlarm = 'throttles' | 'functionErrors' | 'cannotStart' | 'uncaught' | 'unavailableInAnHour';

export interface HostAlarmRule extends AlarmRule {
  /** The composite alarm that this alarm is a reason of. */
  readonly reasonOf: 'usersAreAffected' | 'degraded';
}

/** Everything that is watched of one host and not of the others. */
export interface HostWatch {
  readonly alarms: Readonly<Partial<Record<HostAlarm, HostAlarmRule>>>;
  /** The end of the sentence "Users are affected: …", about the host itself. */
  readonly affected: string;
  /** A sentence that says why the dashboard may have no data although there are requests. */
  readonly noData: string;
  /** The requests that never became an answer, for the graph of failures. */
  readonly lost: { readonly title: string; readonly metrics: readonly IMetric[] };
  /** The graph of the answers that stream at once. */
  readonly streaming: IWidget;
  /** The dashboard's row about the host. */
  readonly row: {
    readonly title: string;
    readonly lookFor: string;
    readonly article: Article;
    readonly widgets: readonly IWidget[];
  };
}
