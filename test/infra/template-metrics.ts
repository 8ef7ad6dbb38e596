import type { Template } from 'aws-cdk-lib/assertions';

/** A metric that a dashboard or an alarm asks for. */
export interface UsedMetric {
  readonly namespace: string;
  readonly name: string;
  /** Names of the dimensions, sorted. */
  readonly dimensions: readonly string[];
}

interface Widget {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>> & { readonly metrics?: readonly unknown[][] };
}

/** The dashboard's widgets; what is known only at deployment reads as `<ref>`. */
export function widgets(template: Template): Widget[] {
  return Object.values(template.findResources('AWS::CloudWatch::Dashboard')).flatMap((dashboard) => {
    const body = flat(dashboard.Properties.DashboardBody);
    return (JSON.parse(body) as { widgets: Widget[] }).widgets;
  });
}

/** Every metric on the dashboard, in metric lists and in searches alike. */
export function dashboardMetrics(template: Template): UsedMetric[] {
  return widgets(template).flatMap(({ properties }) => (properties.metrics ?? []).flatMap(fromWidget));
}

/** Every metric that an alarm looks at. */
export function alarmMetrics(template: Template): UsedMetric[] {
  return Object.values(template.findResources('AWS::CloudWatch::Alarm')).flatMap(({ Properties }) =>
    (Properties.Metrics as AlarmQuery[]).flatMap(({ MetricStat }) =>
      MetricStat
        ? [
            {
              namespace: MetricStat.Metric.Namespace,
              name: MetricStat.Metric.MetricName,
              dimensions: MetricStat.Metric.Dimensions.map(({ Name }) => Name).sort(),
            },
          ]
        : [],
    ),
  );
}

interface AlarmQuery {
  readonly MetricStat?: {
    readonly Metric: { Namespace: string; MetricName: string; Dimensions: { Name: string }[] };
  };
}

/** `[namespace, name, dimension, value, …, options]`, or `[{expression}]`. */
function fromWidget(entry: readonly unknown[]): UsedMetric[] {
  const [first] = entry;
  if (typeof first === 'string') {
    const [namespace = '', name = '', ...pairs] = entry.filter((item) => typeof item === 'string');
    return [{ namespace, name, dimensions: pairs.filter((_, i) => i % 2 === 0).sort() }];
  }
  const { expression = '' } = first as { expression?: string };
  const inSet = /^SEARCH\('\{([^}]*)\} MetricName="(\w+)"/.exec(expression);
  if (inSet) {
    const [namespace = '', ...dimensions] = (inSet[1] ?? '').split(',');
    return [{ namespace, name: inSet[2] ?? '', dimensions: dimensions.sort() }];
  }
  // Whatever its dimensions are, beside those that it is searched by.
  const anywhere = /^SEARCH\('Namespace="([^"]+)" MetricName="(\w+)" (\w+)="/.exec(expression);
  if (!anywhere) return [];
  const [, namespace = '', name = '', dimension = ''] = anywhere;
  return [{ namespace, name, dimensions: [dimension] }];
}

function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join } = value as { 'Fn::Join'?: [string, unknown[]] };
  return join ? join[1].map(flat).join(join[0]) : '<ref>';
}
