import { Duration, Fn, Token } from 'aws-cdk-lib';
import { type IMetric, SearchExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { AgentEntry } from '../lambda/agents.ts';
import { parseRuntimeArn } from '../lambda/arn.ts';

/**
 * The metrics that AgentCore publishes per runtime, each with its statistic. TotalErrors is left out, because it is the
 * sum of two others.
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
  /** AWS says that this metric is meaningful only as a sum over a minute. */
  ActiveStreamingConnections: 'Sum',
  InboundStreamingBytesProcessed: 'Sum',
  OutboundStreamingBytesProcessed: 'Sum',
} as const;

export type AgentCoreMetricName = keyof typeof AGENTCORE_METRICS;

/** The namespace that the CDK's own `Runtime.metric()` uses. */
const NAMESPACE = 'AWS/Bedrock-AgentCore';

/**
 * A metric of an agent's runtime, with one line per endpoint and operation. The search names no set of dimensions,
 * because AWS documents the dimensions (Resource, Name, Operation) but not which metric has which of them.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
 */
export function agentCoreMetric(agent: AgentEntry, metricName: AgentCoreMetricName): IMetric {
  return search(
    `MetricName="${metricName}" Resource="${agent.runtimeArn}"`,
    AGENTCORE_METRICS[metricName],
    // The dimension Name has the form "agent::endpoint".
    `${metricName} \${PROP('Dim.Name')} \${PROP('Dim.Operation')}`,
    regionOf(agent),
  );
}

/** The sessions that run now in the account, to compare with its quota; one line per region of the agents. */
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
 * A Markdown table that leads from an agent's id to its runtime and to the log of its container.
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

/** The region of a runtime, where its metrics are. It need not be the function's region. */
function regionOf({ runtimeArn }: AgentEntry): string | undefined {
  return Token.isUnresolved(runtimeArn) ? undefined : parseRuntimeArn(runtimeArn).region;
}
