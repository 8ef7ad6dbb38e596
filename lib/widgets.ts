import { Duration } from 'aws-cdk-lib';
import { Color, GraphWidget, type GraphWidgetProps, type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../lambda/contract.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

/** The number of answers that stream at once. */
export function concurrency(stream: AgentStreamFunction): IMetric {
  return stream.metricConcurrentStreams({ label: 'streams', period: Duration.minutes(1) });
}

/** p50, p90 and p99 of a time. */
export function quantiles(stream: AgentStreamFunction, metricName: MetricName): IMetric[] {
  return [50, 90, 99].map((p) => stream.metric(metricName, { statistic: Stats.p(p), label: `p${p}` }));
}

/** The given metrics with their labels: sums of counts, and the maximum of a level. */
export function counts(stream: AgentStreamFunction, labels: Partial<Record<MetricName, string>>): IMetric[] {
  return Object.entries(labels).map(([name, label]) => stream.metric(name as MetricName, { label }));
}

/** A left axis that begins at zero and shows its unit. */
export function axis(unit: string): Partial<GraphWidgetProps> {
  return { leftYAxis: { label: unit, showUnits: false, min: 0 } };
}

/** A red line with its label at each limit. */
export function limitLines(limits: Readonly<Record<string, number>>): Partial<GraphWidgetProps> {
  const lines = Object.entries(limits).map(([label, value]) => ({ value, label, color: Color.RED }));
  return { leftAnnotations: lines };
}

/** A line at the reserved concurrency, if any. */
export function reservedLine({
  reservedConcurrentExecutions: value,
}: AgentStreamFunction): Partial<GraphWidgetProps> {
  return value === undefined ? {} : limitLines({ reserved: value });
}

/** A graph whose axis begins at zero. */
export function graph(title: string, width: number, props: GraphWidgetProps): GraphWidget {
  return new GraphWidget({ title, width, height: 6, leftYAxis: { min: 0, showUnits: false }, ...props });
}
