import { Duration } from 'aws-cdk-lib';
import { Color, type IMetric, type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { AgentEntry } from '../lambda/agents.ts';
import type { MetricName } from '../lambda/contract.ts';
import { type AgentCoreMetricName, agentCoreMetric } from './agentcore-metrics.ts';
import { ERROR_LIMIT_PERCENT, INCOMPLETE_LIMIT_PERCENT, TIMEOUT_LIMIT_PERCENT } from './alarm-limits.ts';
import type { HostWatch, WatchedStream } from './host-watch.ts';
import { failuresByOutcome, percentage, reuseRate, successRate } from './metrics.ts';
import type { AgentStreamProbe } from './probe.ts';
import type { SlowLimits } from './service-alarms.ts';
import { axis, counts, FULL_WIDTH, graph, limitLines, quantiles } from './widgets.ts';

/** The numbers that on-call looks at first. */
export function vitalSigns(stream: WatchedStream): IMetric[] {
  return [
    successRate(stream.serviceName),
    stream.metric('InvocationCount', { label: 'requests' }),
    stream.metric('InvocationErrors', { label: 'failed' }),
    stream.metric('FirstChunkLatency', { label: 'first chunk, p90' }),
  ];
}

/** The graphs of the answers that run. */
export function underWay(stream: WatchedStream): IWidget[] {
  // Each process emits its level once a minute.
  const period = Duration.minutes(1);
  const ofAllProcesses = { statistic: Stats.SUM, period };
  return [
    graph('Streams open', 8, {
      left: [stream.metric('StreamsOpen', { ...ofAllProcesses, label: 'open for over a minute' })],
    }),
    graph('Waiting for the first chunk', 8, {
      left: [
        ...stream.agents.map(({ id }) =>
          stream.metric('StreamsWaiting', { ...ofAllProcesses, agent: id, label: id }),
        ),
        stream.metric('StreamsWaiting', { ...ofAllProcesses, label: 'all', color: Color.GREY }),
      ],
    }),
    graph('Age of the oldest', 8, {
      left: [stream.metric('OldestStreamAge', { period, label: 'oldest' })],
      ...axis('ms'),
    }),
  ];
}

/** A graph of the agents that did not answer the probe. */
export function probed(stream: WatchedStream, probe: AgentStreamProbe): IWidget {
  return graph('Failed probes', FULL_WIDTH, {
    left: stream.agents.map(({ id }) => probe.metricFailures(id)),
  });
}

/** The graphs that say whether the service is healthy. */
export function health(
  stream: WatchedStream,
  { lost, streaming }: HostWatch,
  slowFirstChunkMs: number,
): IWidget[] {
  return [
    graph('Answers without an error, %', 6, {
      left: [successRate(stream.serviceName)],
      leftYAxis: { max: 100, showUnits: false },
      ...limitLines({ 'alarm below': 100 - ERROR_LIMIT_PERCENT }),
    }),
    graph('First chunk, warm', 6, {
      left: quantiles(stream, 'FirstChunkLatencyWarm'),
      ...axis('ms'),
      ...limitLines({ slow: slowFirstChunkMs }),
    }),
    // Requests that never became an answer are in none of the metrics of answers.
    graph(lost.title, 6, { left: [failuresByOutcome(stream.serviceName), ...lost.metrics], stacked: true }),
    streaming,
  ];
}

/** The graphs that compare the agents, with one line for each. */
export function perAgent(stream: WatchedStream, { slowFirstChunkMs, slowStartMs }: SlowLimits): IWidget[] {
  const lines = (
    title: string,
    name: MetricName,
    unit?: string,
    limits: Readonly<Record<string, number>> = {},
  ) =>
    graph(title, 6, {
      left: [
        ...stream.agents.map(({ id }) => stream.metric(name, { agent: id, label: id })),
        stream.metric(name, { label: 'all', color: Color.GREY }),
      ],
      ...(unit !== undefined && axis(unit)),
      ...limitLines(limits),
    });
  /** A graph of a metric in percent of the requests, with one line per agent. */
  const rates = (title: string, name: MetricName, limits: Readonly<Record<string, number>>) =>
    graph(title, 6, {
      left: [
        ...stream.agents.map(({ id: agent }) =>
          percentage(stream.metric(name, { agent }), stream.metric('InvocationCount', { agent }), {
            key: agent,
            label: agent,
          }),
        ),
        percentage(stream.metric(name), stream.metric('InvocationCount'), {
          label: 'all',
          color: Color.GREY,
        }),
      ],
      ...axis('%'),
      ...limitLines(limits),
    });
  return [
    lines('Requests', 'InvocationCount'),
    rates('Errors, %', 'InvocationErrors', {
      'alarm, of all and of one agent': ERROR_LIMIT_PERCENT,
    }),
    rates('Timeouts, %', 'InvocationTimeouts', { 'alarm, of all': TIMEOUT_LIMIT_PERCENT }),
    rates('Incomplete answers, %', 'IncompleteResponses', { 'alarm, of all': INCOMPLETE_LIMIT_PERCENT }),
    lines('First chunk, warm, p90', 'FirstChunkLatencyWarm', 'ms', { slow: slowFirstChunkMs }),
    lines('First chunk, all, p90', 'FirstChunkLatency', 'ms', { 'slow, of all': slowStartMs }),
    lines('Whole answer, p90', 'InvocationDuration', 'ms'),
    lines('Failed connections', 'ConnectionFailures'),
    lines('Connection time, p90', 'ConnectionTime', 'ms'),
    graph('Reused connections, %', 6, {
      left: stream.agents.map(({ id }) => reuseRate(stream.serviceName, id, { label: id })),
      ...axis('%'),
    }),
    lines('Chunks', 'ChunkCount'),
    lines('Bytes', 'ResponseBytes'),
    lines('Input tokens', 'InputTokens'),
    lines('Output tokens', 'OutputTokens'),
    lines('Empty answers', 'EmptyAnswers'),
  ];
}

/** The graphs of the connections to AgentCore. */
export function connections(stream: WatchedStream, slowConnectionMs: number): IWidget[] {
  return [
    graph('Connection time', 8, {
      left: quantiles(stream, 'ConnectionTime'),
      ...axis('ms'),
      ...limitLines({ slow: slowConnectionMs }),
    }),
    graph('Connections', 8, {
      left: counts(stream, {
        ConnectionsOpened: 'opened',
        ConnectionsReused: 'reused',
        ConnectionsDiscarded: 'discarded',
        ConnectionsPooled: 'kept, max of one environment',
      }),
    }),
    graph('Failures and stalls', 8, {
      left: counts(stream, {
        ConnectionFailures: 'failed attempts',
        RetryCount: 'retries',
        ReaderStalled: 'callers that stopped reading',
        SessionStoreFailures: 'answers that the session store missed',
      }),
    }),
  ];
}

/** The graphs of an agent's runtime, as AWS counts it. */
export function agentCore(agent: AgentEntry): IWidget[] {
  const metrics = (...names: AgentCoreMetricName[]) => names.map((name) => agentCoreMetric(agent, name));
  return [
    graph(`${agent.id}: requests`, FULL_WIDTH / 2, {
      left: metrics('Invocations', 'SessionCount', 'Throttles', 'UserErrors', 'SystemErrors'),
      right: metrics('Latency'),
      rightYAxis: { label: 'ms', showUnits: false, min: 0 },
    }),
    graph(`${agent.id}: WebSockets`, FULL_WIDTH / 2, {
      left: metrics('ActiveStreamingConnections'),
      right: metrics('InboundStreamingBytesProcessed', 'OutboundStreamingBytesProcessed'),
      rightYAxis: { label: 'bytes', showUnits: false, min: 0 },
    }),
  ];
}
