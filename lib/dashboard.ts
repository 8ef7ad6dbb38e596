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
import { agentCoreMetric } from './agentcore-metrics.ts';
import { LATEST_ERRORS } from './log-fields.ts';
import { failuresByOutcome, percentage, successRate } from './metrics.ts';
import { type Article, articleMarkdown } from './runbook.ts';
import type { AgentStreamFunction } from './streaming-function.ts';
import { concurrency, counts, graph, limitLine, quantiles, reservedLine } from './widgets.ts';

const FULL_WIDTH = 24;

/** Fills the dashboard, from "is it healthy" downwards to the cause. */
export function fillDashboard(
  dashboard: Dashboard,
  stream: AgentStreamFunction,
  alarms: IAlarm[],
  runbookUrl: string | undefined,
): void {
  const row = (title: string, lookFor: string, article: Article, ...widgets: IWidget[]) => {
    const markdown = `## ${title}\n${lookFor} ${articleMarkdown(runbookUrl, article)}`;
    dashboard.addWidgets(new TextWidget({ markdown, width: FULL_WIDTH, height: 2 }));
    dashboard.addWidgets(...widgets);
  };

  row(
    'Is it healthy?',
    'Success near 100 %, the warm first chunk under 2 s, no bar in failures, streams well below the limit.',
    'usersAreAffected',
    new AlarmStatusWidget({ title: 'Alarms', alarms, width: FULL_WIDTH, height: 3 }),
    ...health(stream),
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
    'One answer is one concurrent execution. Throttles mean that users got 429; errors here are crashes that no other figure shows.',
    'throttles',
    ...platform(stream),
  );
  row(
    'AgentCore itself',
    'The same requests as AWS counts them, per runtime: what is wrong here is not in this function.',
    'agentCore',
    ...stream.agents.map((agent) =>
      graph(`${agent.name}: AgentCore`, FULL_WIDTH / Math.min(stream.agents.length, 3), {
        left: (['Invocations', 'SessionCount', 'Throttles', 'UserErrors', 'SystemErrors'] as const).map(
          (name) => agentCoreMetric(agent, name),
        ),
        right: [agentCoreMetric(agent, 'Latency')],
        rightYAxis: { label: 'ms', showUnits: false, min: 0 },
      }),
    ),
  );
  row(
    'Latest errors',
    'Take function_request_id to the log for everything about a request; prompt_sent says whether the agent may have acted.',
    'errorRate',
    new LogQueryWidget({
      title: 'Latest errors',
      logGroupNames: [stream.logGroup.logGroupName],
      queryLines: [...LATEST_ERRORS],
      view: LogQueryVisualizationType.TABLE,
      width: FULL_WIDTH,
      height: 8,
    }),
  );
}

function health(stream: AgentStreamFunction): IWidget[] {
  return [
    graph('Answers without an error, %', 6, {
      left: [successRate(stream.serviceName)],
      leftYAxis: { max: 100, showUnits: false },
    }),
    graph('First chunk, warm', 6, {
      left: quantiles(stream, 'FirstChunkLatencyWarm'),
      ...limitLine(2000, '2 s'),
    }),
    graph('Failures by agent and outcome', 6, {
      left: [failuresByOutcome(stream.serviceName)],
      stacked: true,
    }),
    graph('Concurrent streams', 6, { left: [concurrency(stream)], ...reservedLine(stream) }),
  ];
}

function perAgent(stream: AgentStreamFunction): IWidget[] {
  const perAgentLines = (title: string, metric: (agent: string, label: string) => IMetric, ms = false) =>
    graph(title, 6, {
      left: stream.agents.map(({ id, name }) => metric(id, name)),
      ...(ms && { leftYAxis: { label: 'ms', showUnits: false, min: 0 } }),
    });
  return [
    perAgentLines('Requests', (agent, label) => stream.metricInvocations({ agent, label })),
    perAgentLines('Errors, %', (agent, label) =>
      percentage(stream.metricErrors({ agent }), stream.metricInvocations({ agent }), { key: agent, label }),
    ),
    perAgentLines(
      'First chunk, p90',
      (agent, label) => stream.metric('FirstChunkLatency', { agent, label }),
      true,
    ),
    perAgentLines(
      'Whole answer, p90',
      (agent, label) => stream.metric('InvocationDuration', { agent, label }),
      true,
    ),
    perAgentLines('Timeouts', (agent, label) => stream.metric('InvocationTimeouts', { agent, label })),
    perAgentLines('Incomplete answers', (agent, label) =>
      stream.metric('IncompleteResponses', { agent, label }),
    ),
    perAgentLines('Chunks', (agent, label) => stream.metric('ChunkCount', { agent, label })),
    perAgentLines('Bytes', (agent, label) => stream.metric('ResponseBytes', { agent, label })),
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
