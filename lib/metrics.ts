import type { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import {
  DIMENSIONS,
  METRIC_NAMESPACE,
  METRICS,
  type MetricKind,
  type MetricName,
  SERVICE_NAME,
} from '../lambda/contract.ts';

/** The choice of a dimension set: {service}, or with an agent {service, agent}. */
export interface StreamMetricProps extends MetricOptions {
  /** Id of an agent. @default - all agents together */
  readonly agent?: string;
  /** Value of the dimension service. @default - the service name of the default stage */
  readonly service?: string;
}

/**
 * A metric that the function emits.
 *
 * @default statistic - Sum for counts and bytes, p90 for times, Maximum for a level
 * @throws Error when an agent is given and the metric exists only for all agents together
 */
export function streamMetric(metricName: MetricName, props: StreamMetricProps = {}): Metric {
  const { agent, service = SERVICE_NAME, ...options } = props;
  const { unit, finest, isGauge }: MetricKind = METRICS[metricName];
  if (agent !== undefined && finest === 'service') {
    throw new Error(
      `${metricName}: expected no agent, as it is emitted for all together, got ${JSON.stringify(agent)}`,
    );
  }
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName,
    statistic: isGauge ? Stats.MAXIMUM : unit === 'Milliseconds' ? Stats.p(90) : Stats.SUM,
    ...options,
    dimensionsMap: {
      [DIMENSIONS.service]: service,
      ...(agent !== undefined && { [DIMENSIONS.agent]: agent }),
    },
  });
}

/**
 * The failures, one line per agent and outcome other than `complete`. A search draws only the outcomes that occurred.
 */
export function failuresByOutcome(service: string, options: MetricOptions = {}): MathExpression {
  const dimensions = [DIMENSIONS.agent, DIMENSIONS.outcome, DIMENSIONS.service].join(',');
  return new MathExpression({
    expression: `SEARCH('{${METRIC_NAMESPACE},${dimensions}} MetricName="InvocationErrors" ${DIMENSIONS.service}="${service}" NOT ${DIMENSIONS.outcome}="complete"', 'Sum')`,
    usingMetrics: {},
    label: `\${PROP('Dim.${DIMENSIONS.agent}')} \${PROP('Dim.${DIMENSIONS.outcome}')}`,
    ...options,
  });
}

/** The percentage of requests that were answered without an error. Without a request there is no result. */
export function successRate(service: string): MathExpression {
  return new MathExpression({
    expression: '100 - 100 * FILL(errors, 0) / requests',
    usingMetrics: {
      errors: streamMetric('InvocationErrors', { service, label: 'failed' }),
      requests: streamMetric('InvocationCount', { service, label: 'requests' }),
    },
    label: 'success, %',
  });
}

/** The percentage of an agent's connections that were kept ones. Without a connection there is no result. */
export function reuseRate(service: string, agent: string, options: MetricOptions = {}): MathExpression {
  const key = idSuffix(agent);
  const [opened, reused] = [`opened${key}`, `reused${key}`];
  return new MathExpression({
    expression: `100 * ${reused} / (${opened} + ${reused})`,
    usingMetrics: {
      [opened]: streamMetric('ConnectionsOpened', { service, agent }),
      [reused]: streamMetric('ConnectionsReused', { service, agent }),
    },
    ...options,
  });
}

export interface PercentageProps extends MetricOptions {
  /** A key that tells the percentages of one graph apart. @default - the graph has one percentage only */
  readonly key?: string;
}

/**
 * The percentage of a part in a whole. It is 0 when the part has no data; when the whole has none, there is no result.
 */
export function percentage(part: IMetric, whole: IMetric, props: PercentageProps = {}): MathExpression {
  const { key, ...options } = props;
  const suffix = key === undefined ? '' : idSuffix(key);
  const [partId, wholeId] = [`part${suffix}`, `whole${suffix}`];
  return new MathExpression({
    expression: `100 * FILL(${partId}, 0) / ${wholeId}`,
    usingMetrics: { [partId]: part, [wholeId]: whole },
    ...options,
  });
}

export interface ExcessProps extends MetricOptions {
  /** The percentage of the whole beyond which the excess begins. */
  readonly percent: number;
  /** The largest whole that counts: beyond it the excess is 0. @default - any size */
  readonly atMost?: number;
}

/** How far a part exceeds a percentage of the whole, as a number. A metric without data counts as 0. */
export function excess(
  part: Terms,
  whole: Terms,
  { percent, atMost, ...options }: ExcessProps,
): MathExpression {
  const parts = sum(part);
  const wholes = sum(whole);
  const beyond = `${parts} - ${percent / 100} * ${wholes}`;
  return new MathExpression({
    expression: atMost === undefined ? beyond : `IF(${wholes} <= ${atMost}, ${beyond}, 0)`,
    usingMetrics: { ...part, ...whole },
    ...options,
  });
}

/** Metrics to add up, by their ids in the expression. */
export type Terms = Readonly<Record<string, IMetric>>;

function sum(terms: Terms): string {
  const filled = Object.keys(terms).map((id) => `FILL(${id}, 0)`);
  return filled.length === 1 ? String(filled[0]) : `(${filled.join(' + ')})`;
}

/** How far the number of values above a limit exceeds a percentage of all values of a time. */
export function slowExcess(
  metric: Metric,
  limitMs: number,
  options: ExcessProps & { readonly period: Duration },
): MathExpression {
  const counted = (statistic: string) => metric.with({ statistic, period: options.period });
  // TC is the trimmed count: the number of values above the limit.
  return excess({ slow: counted(`TC(${limitMs}:)`) }, { all: counted(Stats.SAMPLE_COUNT) }, options);
}

/** Makes a suffix for ids of metric math. They may have letters, digits and underscores only, so the key is encoded. */
function idSuffix(key: string): string {
  return `_${Buffer.from(key).toString('hex')}`;
}
