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
  /** @default - it goes off with the first window that breaches */
  readonly windows?: { readonly outOf: number; readonly breach: number };
}

/** Two of three windows: for what hurts nobody at once, and would be an accident in a single one. */
export const TWO_OF_THREE = { outOf: 3, breach: 2 } as const;

/** Creates an alarm over a threshold. It tells nobody: composites do, see `notifications.ts`. */
export function createAlarm(scope: Construct, rule: AlarmRule, runbookUrl: string | undefined): Alarm {
  const { windows = { outOf: 1, breach: 1 } } = rule;
  const alarm = new Alarm(scope, rule.id, {
    metric: rule.metric,
    threshold: rule.threshold,
    evaluationPeriods: windows.outOf,
    datapointsToAlarm: windows.breach,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    // No data is no traffic: the function emits metrics with its answers.
    treatMissingData: TreatMissingData.NOT_BREACHING,
    alarmDescription: `${rule.what}. Runbook: ${articleLink(runbookUrl, rule.article)}`,
  });
  acknowledge(alarm, 'CloudWatchAlarmAction');
  return alarm;
}
