import {
  AlarmStatusWidget,
  type Dashboard,
  type IAlarm,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { activeSessions, runtimesTable } from './agentcore-metrics.ts';
import {
  agentCore,
  connections,
  health,
  perAgent,
  probed,
  underWay,
  vitalSigns,
} from './dashboard-graphs.ts';
import type { HostWatch, WatchedStream } from './host-watch.ts';
import { FAILURES_BY_CAUSE, LATEST_ERRORS } from './log-fields.ts';
import type { AgentStreamProbe } from './probe.ts';
import { type Article, articleMarkdown } from './runbook.ts';
import type { SlowLimits } from './service-alarms.ts';
import { counts, FULL_WIDTH, graph } from './widgets.ts';

export interface DashboardOptions extends SlowLimits {
  /** What the dashboard shows of the host. */
  readonly watch: HostWatch;
  /** The alarms that notify, for the first row. */
  readonly notifying: IAlarm[];
  readonly alarms: IAlarm[];
  /** The address of the runbook. @default - the rows name its file */
  readonly runbookUrl?: string | undefined;
  /** The probe that asks the agents. @default - no probe */
  readonly probe?: AgentStreamProbe | undefined;
  /** The deployed version. @default - the dashboard does not show it */
  readonly version?: string | undefined;
}

/** Fills the dashboard, from "is it healthy" downwards to the cause. */
export function fillDashboard(
  dashboard: Dashboard,
  stream: WatchedStream,
  { watch, notifying, alarms, runbookUrl, version, probe, ...slowLimits }: DashboardOptions,
): void {
  const { slowFirstChunkMs } = slowLimits;
  const row = (title: string, lookFor: string, article: Article, ...widgets: IWidget[]) => {
    const markdown = `## ${title}\n${lookFor} ${articleMarkdown(runbookUrl, article)}`;
    dashboard.addWidgets(new TextWidget({ markdown, width: FULL_WIDTH, height: 3 }));
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
    'Are users affected?',
    `A red alarm means yes, and its name says which users. ${watch.noData}${version === undefined ? '' : ` Deployed: **${version}**.`}`,
    'usersAreAffected',
    new AlarmStatusWidget({
      title: 'Alarms that notify',
      alarms: notifying,
      width: FULL_WIDTH / 2,
      height: 4,
    }),
    // The numbers stand two by two on a phone, and in one line elsewhere.
    new SingleValueWidget({
      title: 'The last 5 minutes',
      width: FULL_WIDTH / 2,
      height: 4,
      setPeriodToTimeRange: false,
      metrics: vitalSigns(stream),
    }),
  );
  row(
    'Is it healthy?',
    `A healthy service has a success rate near 100 %, a p90 of the warm first chunk under ${slowFirstChunkMs} ms, and no failures. The text of a red alarm names its article.`,
    'usersAreAffected',
    new AlarmStatusWidget({ title: 'Alarms', alarms, width: FULL_WIDTH, height: 4 }),
    ...health(stream, watch, slowFirstChunkMs),
  );
  // These graphs explain errors: an agent in a loop uses up tokens, and the quota of sessions refuses new ones with
  // 402.
  dashboard.addWidgets(
    graph('Tokens', FULL_WIDTH / 2, {
      left: counts(stream, { InputTokens: 'input', OutputTokens: 'output' }),
    }),
    graph('Active sessions of the account', FULL_WIDTH / 2, { left: activeSessions(stream.agents) }),
  );
  row(
    'What fails, where and why',
    "The table follows the dashboard's time range. If all rows name one agent, the cause is that agent or its runtime. If they name several agents, it is this function, AgentCore, or a model that the agents share. Look `code` up in the article. `latest_cause` is the message of AgentCore or of the network; `check_this` names what to look at; `agent_error` is the kind of error that the agent reported; `a_request` is the latest request. A request of a row without an agent failed before its agent was known. A cause with 402 means that the account's quota of active sessions is used up.",
    'errorRate',
    table('Failures by agent, code and reason', FAILURES_BY_CAUSE, 6),
  );
  row(
    'Agents',
    'If one line differs from the others, the cause is that agent or its runtime. If all lines rise together, it is this function, AgentCore, or a shared model. With few requests one failure is a large percentage, so look at Requests first. An agent over http has no warm first chunk, so that graph and its alarm leave it out.',
    'errorRate',
    ...perAgent(stream, slowLimits),
  );
  row(
    'Answers under way',
    'Answers are counted once a minute while they run, except in their first minute. A waiting answer has no first chunk yet. The oldest answer may be a long one; an answer that waits for minutes comes from an agent that hangs.',
    'hangs',
    ...underWay(stream),
    ...(probe ? [probed(stream, probe)] : []),
  );
  row(
    'Connections to AgentCore',
    'Opening takes seconds when a microVM starts. Failures and retries should be rare. Reuse makes a second turn fast.',
    'connectionFailures',
    ...connections(stream, slowLimits.slowConnectionMs),
  );
  row(watch.row.title, watch.row.lookFor, watch.row.article, ...watch.row.widgets);
  row(
    'AgentCore itself',
    "The graphs show the same requests as AWS counts them, per runtime, endpoint and operation. SystemErrors and Throttles are AgentCore's; UserErrors come from this function's configuration or from the agent's container.",
    'agentCore',
    ...stream.agents.flatMap(agentCore),
    new TextWidget({ markdown: runtimesTable(stream.agents), width: FULL_WIDTH, height: 6 }),
  );
  row(
    'Latest errors',
    "The table follows the dashboard's time range. A search of the log for function_request_id shows everything about a request. prompt_sent is 1 if the agent may have acted. message.errorMessage says why the function did not start.",
    'errorRate',
    table('Latest errors', LATEST_ERRORS, 8),
  );
}
