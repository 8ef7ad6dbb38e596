import { Token } from 'aws-cdk-lib';
import { type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { parseRuntimeArn } from '../lambda/agentcore/arn.ts';
import type { AgentEntry } from '../lambda/agents.ts';

/**
 * Metrics that AgentCore publishes per runtime, with their statistic.
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
} as const;

export type AgentCoreMetricName = keyof typeof AGENTCORE_METRICS;

/** Namespace and dimensions as the CDK's own `Runtime.metric()` has them. */
const NAMESPACE = 'AWS/Bedrock-AgentCore';
const SCHEMA = `{${NAMESPACE},Name,Operation,Resource}`;

/**
 * A metric of an agent's runtime, a line per endpoint and operation. A search, because AWS documents the
 * operation's name for InvokeAgentRuntime only and not for the WebSocket.
 */
export function agentCoreMetric(agent: AgentEntry, metricName: AgentCoreMetricName): IMetric {
  return new MathExpression({
    expression: `SEARCH('${SCHEMA} MetricName="${metricName}" Resource="${agent.runtimeArn}"', '${AGENTCORE_METRICS[metricName]}')`,
    usingMetrics: {},
    label: `${metricName} \${PROP('Dim.Operation')}`,
    // A runtime reports in its own region, which need not be the function's.
    ...(!Token.isUnresolved(agent.runtimeArn) && { searchRegion: parseRuntimeArn(agent.runtimeArn).region }),
  });
}
