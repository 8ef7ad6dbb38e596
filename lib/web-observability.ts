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
  /** What is watched. */
  readonly stream: AgentStreamWebFunction;
  /** Address where docs/runbook.md is read. @default - alarms name the file and the anchor */
  readonly runbookUrl?: string;
  /** Whom an alarm tells. @default - nobody: alarms only change colour */
  readonly alarmActions?: readonly IAlarmAction[];
}

/** Shares of the requests that go off, two of three windows, by the metric that counts them. */
const SHARES: readonly { id: string; metric: MetricName; percent: number; article: Article; what: string }[] =
  [
    {
      id: 'ErrorRate',
      metric: 'InvocationErrors',
      percent: ERROR_LIMIT_PERCENT,
      article: 'errorRate',
      what: 'of all requests failed',
    },
    {
      id: 'Timeouts',
      metric: 'InvocationTimeouts',
      percent: TIMEOUT_LIMIT_PERCENT,
      article: 'timeouts',
      what: 'of all requests ran into a time limit',
    },
    {
      id: 'IncompleteResponses',
      metric: 'IncompleteResponses',
      percent: INCOMPLETE_LIMIT_PERCENT,
      article: 'incompleteResponses',
      what: 'of all answers broke off',
    },
    {
      id: 'ConnectionFailures',
      metric: 'ConnectionFailures',
      percent: CONNECTION_LIMIT_PERCENT,
      article: 'connectionFailures',
      what: 'as many attempts to connect to AgentCore as there were requests failed',
    },
  ];

const FULL_WIDTH = 24;

/**
 * Dashboard and alarms of a Web Function, from its own log and metrics. What Lambda itself counts of one is not drawn: an
 * environment that does not start answers nothing, which the check after a deployment has to find.
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
          what: `More than ${percent} % ${what}, and by more than ${ALLOWANCE}, in two of three periods of 5 minutes`,
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
