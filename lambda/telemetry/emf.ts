import { METRIC_NAMESPACE, METRICS, type MetricName } from '../contract.ts';

/** A metric's value with its CloudWatch unit. */
export interface Measured {
  readonly unit: 'Count' | 'Milliseconds' | 'Bytes';
  readonly value: number;
}

/**
 * Writes one document of CloudWatch's Embedded Metric Format, for code that does not load Powertools.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function writeEmf(
  dimensions: Readonly<Record<string, string>>,
  metrics: Readonly<Record<string, Measured>>,
): void {
  const measured = Object.entries(metrics);
  const document = {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: METRIC_NAMESPACE,
          Dimensions: [Object.keys(dimensions)],
          Metrics: measured.map(([Name, { unit: Unit }]) => ({ Name, Unit })),
        },
      ],
    },
    ...dimensions,
    ...Object.fromEntries(measured.map(([name, { value }]) => [name, value])),
  };
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

/** Writes some of our own metrics, each in its unit of the contract. */
export function writeMetrics(
  dimensions: Readonly<Record<string, string>>,
  values: Partial<Record<MetricName, number>>,
): void {
  const measured = Object.entries(values).map(([name, value]) => [
    name,
    { unit: METRICS[name as MetricName].unit, value },
  ]);
  writeEmf(dimensions, Object.fromEntries(measured));
}
