import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { acknowledge } from './compliance.ts';
import { type Article, articleLink } from './runbook.ts';

/** The definition of one alarm. */
export interface AlarmRule {
  /** The end of the alarm's name. */
  readonly id: string;
  readonly article: Article;
  readonly metric: IMetric;
  readonly threshold: number;
  /** The first sentence of the alarm's text: it says what is true while the alarm is on. */
  readonly what: string;
  readonly windows: { readonly outOf: number; readonly breach: number };
}

/** The first window that breaches sets the alarm off. */
export const AT_ONCE = { outOf: 1, breach: 1 } as const;

/**
 * Two of three windows set the alarm off: a problem that hurts nobody at once may be an accident in a single window.
 */
export const TWO_OF_THREE = { outOf: 3, breach: 2 } as const;

/** Creates an alarm over a threshold. It notifies nobody itself: the composite alarms of `notifications.ts` do. */
export function createAlarm(scope: Construct, rule: AlarmRule, runbookUrl: string | undefined): Alarm {
  const alarm = new Alarm(scope, rule.id, {
    metric: rule.metric,
    threshold: rule.threshold,
    evaluationPeriods: rule.windows.outOf,
    datapointsToAlarm: rule.windows.breach,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    // Missing data means that there is no traffic: the function emits its metrics with its answers.
    treatMissingData: TreatMissingData.NOT_BREACHING,
    alarmDescription: `${rule.what}. Runbook: ${articleLink(runbookUrl, rule.article)}`,
  });
  acknowledge(alarm, 'CloudWatchAlarmAction');
  return alarm;
}
