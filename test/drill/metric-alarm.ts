import { type Datapoint, evaluate } from './metric-math.ts';
import { type MetricStore, seriesKey } from './metric-store.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** The properties of an `AWS::CloudWatch::Alarm` that decide when it goes off. */
export interface MetricAlarmProperties {
  readonly AlarmDescription: string;
  readonly ComparisonOperator: string;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData?: TreatMissingData;
  readonly Metrics: readonly AlarmQuery[];
}

/** Without `ignore`, which no alarm of this project has. */
export type TreatMissingData = 'missing' | 'notBreaching' | 'breaching';

export interface AlarmQuery {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: MetricStat;
}

export interface MetricStat {
  readonly Stat: string;
  /** Seconds. */
  readonly Period: number;
  readonly Metric: {
    readonly Namespace: string;
    readonly MetricName: string;
    readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  };
}

/** So many periods beside those that are evaluated are looked at for values in the place of missing ones. */
const EXTRA_PERIODS = 2;

/**
 * What an alarm makes of its datapoints.
 *
 * If there are at least as many values in the range as are evaluated, the newest of them are, and what is missing is
 * passed over; if not, the missing ones are what {@link TreatMissingData} says.
 *
 * @param datapoints of the evaluation range, the oldest first
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function stateOf(
  datapoints: readonly Datapoint[],
  alarm: { threshold: number; outOf: number; breach: number; missing: TreatMissingData },
): AlarmState {
  const { threshold, outOf, breach, missing } = alarm;
  const found = datapoints.filter((value) => value !== undefined);
  const isBreaching = (value: number) => value > threshold;
  if (found.length >= outOf) return found.slice(-outOf).filter(isBreaching).length >= breach ? 'ALARM' : 'OK';
  const filled = outOf - found.length;
  const breaching = found.filter(isBreaching).length;
  switch (missing) {
    case 'breaching':
      return breaching + filled >= breach ? 'ALARM' : 'OK';
    case 'notBreaching':
      return breaching >= breach ? 'ALARM' : 'OK';
    case 'missing':
      if (found.length === 0) return 'INSUFFICIENT_DATA';
      return breaching >= Math.min(breach, found.length) ? 'ALARM' : 'OK';
  }
}

/** A metric alarm over a threshold that is evaluated every minute, over windows that slide with the minutes. */
export class MetricAlarm {
  readonly properties: MetricAlarmProperties;
  state: AlarmState = 'INSUFFICIENT_DATA';

  /** @throws Error for what no alarm of this project has */
  constructor(properties: MetricAlarmProperties) {
    if (properties.ComparisonOperator !== 'GreaterThanThreshold') {
      throw new Error(`no such comparison here: ${properties.ComparisonOperator}`);
    }
    this.properties = properties;
  }

  /** @returns whether the state has changed */
  evaluate(store: MetricStore, endMs: number): boolean {
    const {
      EvaluationPeriods: outOf,
      DatapointsToAlarm,
      Threshold: threshold,
      TreatMissingData,
    } = this.properties;
    const range = Array.from({ length: outOf + EXTRA_PERIODS }, (_, i) => outOf + EXTRA_PERIODS - 1 - i);
    const datapoints = range.map((ago) => this.datapoint(store, endMs, ago));
    const before = this.state;
    const rules = {
      threshold,
      outOf,
      breach: DatapointsToAlarm ?? outOf,
      missing: TreatMissingData ?? 'missing',
    };
    this.state = stateOf(datapoints, rules);
    return this.state !== before;
  }

  /** Its value so many periods ago. */
  datapoint(store: MetricStore, endMs: number, ago = 0): Datapoint {
    return this.compute((metric) => {
      const periodMs = metric.Period * 1000;
      return store.statistic(seriesOf(metric), metric.Stat, periodMs, endMs - ago * periodMs);
    });
  }

  get series(): string[] {
    return this.properties.Metrics.flatMap(({ MetricStat }) => (MetricStat ? [seriesOf(MetricStat)] : []));
  }

  /** Its value, where each of its metrics has the given one. */
  compute(valueIn: (metric: MetricStat) => Datapoint): Datapoint {
    const { Metrics } = this.properties;
    const values = Metrics.flatMap(({ Id, MetricStat }): [string, Datapoint][] =>
      MetricStat ? [[Id, valueIn(MetricStat)]] : [],
    );
    const expression = Metrics.find(({ Expression }) => Expression !== undefined)?.Expression;
    return expression === undefined ? values[0]?.[1] : evaluate(expression, Object.fromEntries(values));
  }
}

function seriesOf({ Metric }: MetricStat): string {
  return seriesKey(Metric.Namespace, Metric.MetricName, Metric.Dimensions ?? []);
}
