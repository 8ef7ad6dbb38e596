import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Color,
  Dashboard,
  type IAlarmAction,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { MetricName } from '../lambda/contract.ts';
import { createAlarm, TWO_OF_THREE } from './alarm.ts';
import {
  ALLOWANCE,
  CONNECTION_LIMIT_PERCENT,
  ERROR_LIMIT_PERCENT,
  INCOMPLETE_LIMIT_PERCENT,
  TIMEOUT_LIMIT_PERCENT,
  WINDOW,
} from './alarm-limits.ts';
import { FAILURES_BY_CAUSE, LATEST_ERRORS } from './log-fields.ts';
import { excess, failuresByOutcome, successRate } from './metrics.ts';
import type { Article } from './runbook.ts';
import type { AgentStreamWebFunction } from './web-function.ts';
import { axis, graph } from './widgets.ts';

export interface AgentStreamWebObservabilityProps {
  /** The function to watch. */
  readonly stream: AgentStreamWebFunction;
  /** The address where docs/runbook.md is read. @default - alarms name the file and the anchor */
  readonly runbookUrl?: string;
  /** The actions of the alarms. @default - none: alarms only change colour */
  readonly alarmActions?: readonly IAlarmAction[];
}

/** The alarms. Each goes off when a share of the requests exceeds its percentage in two of three windows. */
const SHARES: readonly { id: string; metric: MetricName; percent: number; article: Article; what: string }[] =
  [
    {
      id: 'ErrorRate',
      metric: 'InvocationErrors',
      percent: ERROR_LIMIT_PERCENT,
      article: 'errorRate',
      what: `More than ${ERROR_LIMIT_PERCENT} % of all requests failed`,
    },
    {
      id: 'Timeouts',
      metric: 'InvocationTimeouts',
      percent: TIMEOUT_LIMIT_PERCENT,
      article: 'timeouts',
      what: `More than ${TIMEOUT_LIMIT_PERCENT} % of all requests ran into a time limit`,
    },
    {
      id: 'IncompleteResponses',
      metric: 'IncompleteResponses',
      percent: INCOMPLETE_LIMIT_PERCENT,
      article: 'incompleteResponses',
      what: `More than ${INCOMPLETE_LIMIT_PERCENT} % of all answers broke off`,
    },
    {
      id: 'ConnectionFailures',
      metric: 'ConnectionFailures',
      percent: CONNECTION_LIMIT_PERCENT,
      article: 'connectionFailures',
      what: `More than ${CONNECTION_LIMIT_PERCENT} attempts to connect to AgentCore failed per 100 requests`,
    },
  ];

const FULL_WIDTH = 24;

/**
 * The dashboard and the alarms of a Web Function, made from its own log and metrics. Lambda's metrics are not used, so
 * an environment that does not start is not seen here: the check after a deployment has to find it.
 */
export class AgentStreamWebObservability extends Construct {
  readonly dashboard: Dashboard;
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: AgentStreamWebObservabilityProps) {
    super(scope, id);
    const { stream, runbookUrl, alarmActions = [] } = props;
    this.alarms = SHARES.map(({ id: name, metric, percent, article, what }) =>
      createAlarm(
        this,
        {
          id: name,
          article,
          metric: excess(
            { part: stream.metric(metric, { period: WINDOW }) },
            { whole: stream.metric('InvocationCount', { period: WINDOW }) },
            { percent, label: `${metric} beyond ${percent} %`, period: WINDOW },
          ),
          threshold: ALLOWANCE,
          windows: TWO_OF_THREE,
          what: `${what}, and by more than ${ALLOWANCE}, in two of three periods of 5 minutes`,
        },
        runbookUrl,
      ),
    );
    for (const alarm of this.alarms) alarm.addAlarmAction(...alarmActions);

    this.dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.minutes(30) });
    this.dashboard.addWidgets(
      new AlarmStatusWidget({ title: 'Alarms', alarms: [...this.alarms], width: FULL_WIDTH, height: 3 }),
    );
    this.dashboard.addWidgets(...requests(stream));
    this.dashboard.addWidgets(...answers(stream));
    for (const [title, query] of [
      ['Failures by agent, code and reason', FAILURES_BY_CAUSE],
      ['Latest errors', LATEST_ERRORS],
    ] as const) {
      this.dashboard.addWidgets(
        new LogQueryWidget({
          title,
          logGroupNames: [stream.logGroup.logGroupName],
          queryLines: [...query],
          view: LogQueryVisualizationType.TABLE,
          width: FULL_WIDTH,
          height: 6,
        }),
      );
    }
  }
}

function requests(stream: AgentStreamWebFunction): IWidget[] {
  return [
    new TextWidget({
      markdown: `**${stream.serviceName}** on a Lambda Web Function`,
      width: FULL_WIDTH,
      height: 1,
    }),
    graph('Requests', 8, {
      left: [
        ...perAgent(stream, 'InvocationCount'),
        stream.metric('RequestsRejected', { label: 'rejected', color: Color.ORANGE }),
      ],
    }),
    graph('Answers without an error, %', 8, {
      left: [successRate(stream.serviceName)],
      leftYAxis: { max: 100, showUnits: false },
    }),
    graph('Failures', 8, { left: [failuresByOutcome(stream.serviceName)], stacked: true }),
  ];
}

function answers(stream: AgentStreamWebFunction): IWidget[] {
  return [
    graph('First chunk, p90', 8, { left: perAgent(stream, 'FirstChunkLatency'), ...axis('ms') }),
    graph('Streams open', 8, {
      left: [stream.metric('StreamsOpen', { statistic: 'Sum', period: Duration.minutes(1) })],
    }),
    graph('Connections to AgentCore', 8, {
      left: (['ConnectionsOpened', 'ConnectionsReused', 'ConnectionFailures'] as const).map((name) =>
        stream.metric(name),
      ),
    }),
  ];
}

function perAgent(stream: AgentStreamWebFunction, name: MetricName) {
  return stream.agents.map(({ id }) => stream.metric(name, { agent: id, label: id }));
}
