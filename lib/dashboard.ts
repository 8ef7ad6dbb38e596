import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Color,
  type Dashboard,
  type IAlarm,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { type AgentCoreMetricName, activeSessions, agentCoreMetric } from './agentcore-metrics.ts';
import { FAILURES_BY_CAUSE, LATEST_ERRORS } from './log-fields.ts';
import { failuresByOutcome, percentage, reuseRate, successRate } from './metrics.ts';
import { type Article, articleMarkdown } from './runbook.ts';
import type { AgentStreamFunction } from './streaming-function.ts';
import { concurrency, counts, graph, limitLine, quantiles, reservedLine } from './widgets.ts';

const FULL_WIDTH = 24;

export interface DashboardOptions {
  readonly alarms: IAlarm[];
  /** Address of the runbook. @default - the rows name its file */
  readonly runbookUrl?: string | undefined;
  /** How late a warm first text is slow, in milliseconds. */
  readonly slowFirstChunkMs: number;
}

/** Fills the dashboard, from "is it healthy" downwards to the cause. */
export function fillDashboard(
  dashboard: Dashboard,
  stream: AgentStreamFunction,
  { alarms, runbookUrl, slowFirstChunkMs }: DashboardOptions,
): void {
  const row = (title: string, lookFor: string, article: Article, ...widgets: IWidget[]) => {
    const markdown = `## ${title}\n${lookFor} ${articleMarkdown(runbookUrl, article)}`;
    dashboard.addWidgets(new TextWidget({ markdown, width: FULL_WIDTH, height: 2 }));
    dashboard.addWidgets(...widgets);
  };
  const table = (title: string, query: readonly string[], height: number) =>
    new LogQueryWidget({
      title,
      logGroupNames: [stream.logGroup.logGroupName],
      queryLines: [...query],
      view: LogQueryVisualizationType.TABLE,
      width: FULL_WIDTH,
      height,
    });

  row(
    'Is it healthy?',
    `Success near 100 %, the warm first chunk under ${slowFirstChunkMs} ms, no bar in failures, streams well below the limit. A red alarm names its article.`,
    'usersAreAffected',
    new AlarmStatusWidget({ title: 'Alarms', alarms, width: FULL_WIDTH, height: 3 }),
    ...health(stream, slowFirstChunkMs),
  );
  row(
    'What fails, where and why',
    'One agent in all rows: that agent, or its runtime; it can be taken out. Every agent: this side, or AgentCore. The code names what to do in the article, `latest_cause` is what AgentCore said.',
    'errorRate',
    table('Failures by agent and cause', FAILURES_BY_CAUSE, 6),
  );
  row(
    'Agents',
    'One line apart from the others: that agent has the problem. All together: it is on this side.',
    'errorRate',
    ...perAgent(stream),
  );
  row(
    'Connections to AgentCore',
    'Opening takes seconds where a microVM starts; failures and retries should be rare, reuse is what makes a second turn fast.',
    'connectionFailures',
    ...connections(stream),
  );
  row(
    'Lambda',
    'One answer is one concurrent execution. Throttles mean that users got 429; crashes are in no figure above; a 5xx without a failure above is a crash, or a route other than the agents.',
    'throttles',
    ...platform(stream),
  );
  row(
    'AgentCore itself',
    'The same requests as AWS counts them, per runtime, endpoint and operation: what is wrong here is not in this function.',
    'agentCore',
    ...stream.agents.flatMap(agentCore),
    graph('Active sessions of the account', FULL_WIDTH / 2, { left: activeSessions(stream.agents) }),
  );
  row(
    'Latest errors',
    'Take function_request_id to the log for everything about a request; prompt_sent is 1 where the agent may have acted.',
    'errorRate',
    table('Latest errors', LATEST_ERRORS, 8),
  );
}

function health(stream: AgentStreamFunction, slowFirstChunkMs: number): IWidget[] {
  return [
    graph('Answers without an error, %', 6, {
      left: [successRate(stream.serviceName)],
      leftYAxis: { max: 100, showUnits: false },
    }),
    graph('First chunk, warm', 6, {
      left: quantiles(stream, 'FirstChunkLatencyWarm'),
      ...limitLine(slowFirstChunkMs, 'slow'),
    }),
    graph('Failures by agent and outcome', 6, {
      left: [failuresByOutcome(stream.serviceName)],
      stacked: true,
    }),
    graph('Concurrent streams', 6, { left: [concurrency(stream)], ...reservedLine(stream) }),
  ];
}

function perAgent(stream: AgentStreamFunction): IWidget[] {
  type Name = Parameters<AgentStreamFunction['metric']>[0];
  const axis = (unit: string | undefined) =>
    unit === undefined ? {} : { leftYAxis: { label: unit, showUnits: false, min: 0 } };
  const lines = (title: string, name: Name, unit?: string) =>
    graph(title, 6, {
      left: [
        ...stream.agents.map((agent) => stream.metric(name, { agent: agent.id, label: agent.name })),
        stream.metric(name, { label: 'all', color: Color.GREY }),
      ],
      ...axis(unit),
    });
  const rates = (title: string, rate: (agent: string, label: string) => IMetric) =>
    graph(title, 6, { left: stream.agents.map(({ id, name }) => rate(id, name)), ...axis('%') });
  return [
    lines('Requests', 'InvocationCount'),
    rates('Errors, %', (agent, label) =>
      percentage(stream.metricErrors({ agent }), stream.metricInvocations({ agent }), { key: agent, label }),
    ),
    lines('Timeouts', 'InvocationTimeouts'),
    lines('Incomplete answers', 'IncompleteResponses'),
    lines('First chunk, warm, p90', 'FirstChunkLatencyWarm', 'ms'),
    lines('First chunk, all, p90', 'FirstChunkLatency', 'ms'),
    lines('Whole answer, p90', 'InvocationDuration', 'ms'),
    lines('Failed connections', 'ConnectionFailures'),
    lines('Connection time, p90', 'ConnectionTime', 'ms'),
    rates('Reused connections, %', (agent, label) => reuseRate(stream.serviceName, agent, { label })),
    lines('Chunks', 'ChunkCount'),
    lines('Bytes', 'ResponseBytes'),
  ];
}

function connections(stream: AgentStreamFunction): IWidget[] {
  return [
    graph('Connection time', 8, { left: quantiles(stream, 'ConnectionTime'), ...limitLine(5000, '5 s') }),
    graph('Connections', 8, {
      left: counts(
        stream,
        'ConnectionsOpened',
        'ConnectionsReused',
        'ConnectionsDiscarded',
        'ConnectionsPooled',
      ),
    }),
    graph('Trouble', 8, { left: counts(stream, 'ConnectionFailures', 'RetryCount', 'ReaderStalled') }),
  ];
}

function platform(stream: AgentStreamFunction): IWidget[] {
  const { function: fn } = stream;
  return [
    graph('Concurrency and throttles', 6, {
      left: [concurrency(stream)],
      right: [fn.metricThrottles({ label: 'throttles', color: Color.RED })],
      ...reservedLine(stream),
    }),
    graph('Duration of invocations', 6, {
      left: [
        fn.metricDuration({ statistic: Stats.p(50), label: 'p50' }),
        fn.metricDuration({ statistic: 'Maximum', label: 'max' }),
      ],
      ...limitLine((fn.timeout ?? Duration.minutes(15)).toMilliseconds(), 'timeout'),
    }),
    graph('Cold starts and crashes', 6, {
      left: [
        stream.metric('ColdStart', { label: 'cold starts' }),
        fn.metricErrors({ label: 'crashes', color: Color.RED }),
      ],
    }),
    graph('Function URL', 6, {
      left: [
        fn.metric('UrlRequestCount', { statistic: 'Sum', label: 'requests' }),
        stream.metricUrl4xx({ label: '4xx' }),
        stream.metricUrl5xx({ label: '5xx', color: Color.RED }),
        stream.metric('RequestsRejected', { label: 'rejected by the function' }),
      ],
    }),
  ];
}

function agentCore(agent: AgentStreamFunction['agents'][number]): IWidget[] {
  const metrics = (...names: AgentCoreMetricName[]) => names.map((name) => agentCoreMetric(agent, name));
  return [
    graph(`${agent.name}: requests`, FULL_WIDTH / 2, {
      left: metrics('Invocations', 'SessionCount', 'Throttles', 'UserErrors', 'SystemErrors'),
      right: metrics('Latency'),
      rightYAxis: { label: 'ms', showUnits: false, min: 0 },
    }),
    graph(`${agent.name}: WebSockets`, FULL_WIDTH / 2, {
      left: metrics('ActiveStreamingConnections'),
      right: metrics('InboundStreamingBytesProcessed', 'OutboundStreamingBytesProcessed'),
      rightYAxis: { label: 'bytes', showUnits: false, min: 0 },
    }),
  ];
}
