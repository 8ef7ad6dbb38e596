import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { acknowledge } from './compliance.ts';
import { type Article, articleLink } from './runbook.ts';

/** One alarm, as a line of a table. */
export interface AlarmRule {
  /** The end of its name. */
  readonly id: string;
  readonly article: Article;
  readonly metric: IMetric;
  readonly threshold: number;
  /** What is true when it is on: the first sentence of its text. */
  readonly what: string;
  readonly windows: { readonly outOf: number; readonly breach: number };
}

/** With the first window that breaches. */
export const AT_ONCE = { outOf: 1, breach: 1 } as const;

/** Two of three windows: for what hurts nobody at once, and would be an accident in a single one. */
export const TWO_OF_THREE = { outOf: 3, breach: 2 } as const;

/** Creates an alarm over a threshold. It tells nobody: composites do, see `notifications.ts`. */
export function createAlarm(scope: Construct, rule: AlarmRule, runbookUrl: string | undefined): Alarm {
  const alarm = new Alarm(scope, rule.id, {
    metric: rule.metric,
    threshold: rule.threshold,
    evaluationPeriods: rule.windows.outOf,
    datapointsToAlarm: rule.windows.breach,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    // No data is no traffic: the function emits metrics with its answers.
    treatMissingData: TreatMissingData.NOT_BREACHING,
    alarmDescription: `${rule.what}. Runbook: ${articleLink(runbookUrl, rule.article)}`,
  });
  acknowledge(alarm, 'CloudWatchAlarmAction');
  return alarm;
}
