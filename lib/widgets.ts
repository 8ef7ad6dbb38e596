import { Color, GraphWidget, type GraphWidgetProps, type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../lambda/contract.ts';
import type { StreamMetricProps } from './metrics.ts';

/** The width of a dashboard, in its grid. */
export const FULL_WIDTH = 24;

/** A construct that emits metrics. */
interface Measured {
  metric(metricName: MetricName, props?: StreamMetricProps): IMetric;
}

/** p50, p90 and p99 of a time. */
export function quantiles(stream: Measured, metricName: MetricName): IMetric[] {
  return [50, 90, 99].map((p) => stream.metric(metricName, { statistic: Stats.p(p), label: `p${p}` }));
}

/** The given metrics with their labels: sums of counts, and the maximum of a level. */
export function counts(stream: Measured, labels: Partial<Record<MetricName, string>>): IMetric[] {
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

/** A graph whose axis begins at zero. */
export function graph(title: string, width: number, props: GraphWidgetProps): GraphWidget {
  return new GraphWidget({ title, width, height: 6, leftYAxis: { min: 0, showUnits: false }, ...props });
}
