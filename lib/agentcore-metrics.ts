import { Duration, Fn, Token } from 'aws-cdk-lib';
import { type IMetric, SearchExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { AgentEntry } from '../lambda/agents.ts';
import { parseRuntimeArn } from '../lambda/arn.ts';

/**
 * Metrics that AgentCore publishes per runtime, with their statistic. Without TotalErrors, which is the sum of two
 * of them.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-runtime-metrics.html
 */
export const AGENTCORE_METRICS = {
  Invocations: 'Sum',
  SessionCount: 'Sum',
  Latency: 'Average',
  Throttles: 'Sum',
  UserErrors: 'Sum',
  SystemErrors: 'Sum',
  /** Means something as a sum over a minute only, by that page. */
  ActiveStreamingConnections: 'Sum',
  InboundStreamingBytesProcessed: 'Sum',
  OutboundStreamingBytesProcessed: 'Sum',
} as const;

export type AgentCoreMetricName = keyof typeof AGENTCORE_METRICS;

/** As the CDK's own `Runtime.metric()` has it. */
const NAMESPACE = 'AWS/Bedrock-AgentCore';

/**
 * A metric of an agent's runtime, a line per endpoint and operation. A search in no particular set of dimensions:
 * AWS documents their names (Resource, Name, Operation) but not which metric comes in which set.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
 */
export function agentCoreMetric(agent: AgentEntry, metricName: AgentCoreMetricName): IMetric {
  return search(
    `MetricName="${metricName}" Resource="${agent.runtimeArn}"`,
    AGENTCORE_METRICS[metricName],
    // Name is "agent::endpoint".
    `${metricName} \${PROP('Dim.Name')} \${PROP('Dim.Operation')}`,
    regionOf(agent),
  );
}

/** Sessions that run now in the account, against its quota; a line per region that the agents are in. */
export function activeSessions(agents: readonly AgentEntry[]): IMetric[] {
  return [...new Set(agents.map(regionOf))].map((region) =>
    search(
      'MetricName="ActiveSessionCount" Service="AgentCore.Runtime"',
      'Maximum',
      `sessions${region === undefined ? '' : ` ${region}`}`,
      region,
    ),
  );
}

/**
 * Markdown that leads from an agent's id to its runtime and to the log of its container.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-view.html
 */
export function runtimesTable(agents: readonly AgentEntry[]): string {
  const rows = agents.map((agent) => {
    const { id, runtimeArn, qualifier } = agent;
    const runtime = Token.isUnresolved(runtimeArn)
      ? Fn.select(1, Fn.split(':runtime/', runtimeArn))
      : parseRuntimeArn(runtimeArn).runtimeId;
    const region = regionOf(agent);
    const logGroup = `\`/aws/bedrock-agentcore/runtimes/${runtime}-${qualifier}\``;
    return `${id} | ${runtime} | ${logGroup}${region === undefined ? '' : ` in ${region}`}`;
  });
  return ['agent | runtime | log group', '--- | --- | ---', ...rows].join('\n');
}

function search(terms: string, statistic: string, label: string, region: string | undefined): IMetric {
  return new SearchExpression({
    expression: `SEARCH('Namespace="${NAMESPACE}" ${terms}', '${statistic}')`,
    label,
    period: Duration.minutes(1),
    ...(region !== undefined && { searchRegion: region }),
  });
}

/** A runtime reports in its own region, which need not be the function's. */
function regionOf({ runtimeArn }: AgentEntry): string | undefined {
  return Token.isUnresolved(runtimeArn) ? undefined : parseRuntimeArn(runtimeArn).region;
}
