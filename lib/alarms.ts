import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  ComparisonOperator,
  CompositeAlarm,
  type IMetric,
  MathExpression,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { MIN_INVOCATIONS, percentage } from './metrics.ts';
import { type Article, articleLink } from './runbook.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

/** The alarms, by what has happened. */
export interface StreamAlarms {
  readonly errorRate: Alarm;
  readonly slowFirstChunk: Alarm;
  readonly connectionFailures: Alarm;
  readonly timeouts: Alarm;
  readonly throttles: Alarm;
  readonly incompleteResponses: Alarm;
  readonly functionErrors: Alarm;
  /** One per agent, in their order. */
  readonly oneAgentFails: readonly Alarm[];
  /** Any of those that a user has as an error. */
  readonly usersAreAffected: CompositeAlarm;
}

export interface AlarmOptions {
  /** Address of the runbook. @default - alarms name its file */
  readonly runbookUrl?: string | undefined;
  /** From when on a warm first chunk is slow, in milliseconds. */
  readonly slowFirstChunkMs: number;
}

/** From when on an alarm goes off, in percent of the requests; the dashboard draws them. */
export const ERROR_LIMIT_PERCENT = 5;
export const TIMEOUT_LIMIT_PERCENT = 1;
export const INCOMPLETE_LIMIT_PERCENT = 1;
/** Of the requests for one agent. */
export const AGENT_LIMIT_PERCENT = 50;

const WINDOW = Duration.minutes(5);
/** An agent that is seldom asked is in no other rate. */
const MIN_AGENT_INVOCATIONS = 5;
const OF_AT_LEAST = `of at least ${MIN_INVOCATIONS}`;

/** Creates every alarm; what they notify is the caller's matter. */
export function createAlarms(
  scope: Construct,
  stream: AgentStreamFunction,
  { runbookUrl, slowFirstChunkMs }: AlarmOptions,
): StreamAlarms {
  const alarm = (
    id: string,
    article: Article,
    metric: IMetric,
    threshold: number,
    what: string,
    { evaluationPeriods, datapointsToAlarm } = { evaluationPeriods: 1, datapointsToAlarm: 1 },
  ) =>
    new Alarm(scope, id, {
      metric,
      threshold,
      evaluationPeriods,
      datapointsToAlarm,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      // No data is no traffic: the function emits metrics with its answers.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `${what}. Runbook: ${articleLink(runbookUrl, article)}`,
    });
  const own = (name: Parameters<AgentStreamFunction['metric']>[0]) => stream.metric(name, { period: WINDOW });
  const rate = (name: Parameters<AgentStreamFunction['metric']>[0], label: string) =>
    percentage(own(name), own('InvocationCount'), { atLeast: MIN_INVOCATIONS, label, period: WINDOW });

  const alarms = {
    errorRate: alarm(
      'ErrorRate',
      'errorRate',
      rate('InvocationErrors', 'errors in %'),
      ERROR_LIMIT_PERCENT,
      `More than ${ERROR_LIMIT_PERCENT} % of the requests (${OF_AT_LEAST}) failed within 5 minutes`,
    ),
    slowFirstChunk: alarm(
      'SlowFirstChunk',
      'slowFirstChunk',
      warmFirstChunk(stream),
      slowFirstChunkMs,
      `p90 of the warm first chunk (${OF_AT_LEAST}) is over ${slowFirstChunkMs} ms within 5 minutes, although no microVM was started`,
    ),
    connectionFailures: alarm(
      'ConnectionFailures',
      'connectionFailures',
      connectionFailureRate(stream),
      10,
      `More than 10 % of the attempts to connect to AgentCore (with at least ${MIN_INVOCATIONS} requests) failed within 5 minutes`,
    ),
    timeouts: alarm(
      'Timeouts',
      'timeouts',
      rate('InvocationTimeouts', 'timeouts in %'),
      TIMEOUT_LIMIT_PERCENT,
      `More than ${TIMEOUT_LIMIT_PERCENT} % of the requests (${OF_AT_LEAST}) ran into a time limit within 5 minutes`,
    ),
    throttles: alarm(
      'Throttles',
      'throttles',
      stream.function.metricThrottles({ period: WINDOW, label: 'throttled requests' }),
      0,
      'Lambda refused requests with 429 because no concurrency was available',
    ),
    incompleteResponses: alarm(
      'IncompleteResponses',
      'incompleteResponses',
      rate('IncompleteResponses', 'incomplete answers in %'),
      INCOMPLETE_LIMIT_PERCENT,
      `More than ${INCOMPLETE_LIMIT_PERCENT} % of the answers (${OF_AT_LEAST}) broke off within 5 minutes`,
    ),
    functionErrors: alarm(
      'FunctionErrors',
      'functionErrors',
      stream.function.metricErrors({ period: WINDOW, label: 'failed invocations' }),
      0,
      'In two of three periods of 5 minutes the function did not start, crashed or was ended by Lambda; such a request is in none of its own metrics',
      // A single crash is no reason to wake anybody.
      { evaluationPeriods: 3, datapointsToAlarm: 2 },
    ),
    oneAgentFails: stream.agents.map(({ id, runtimeArn }) => {
      const ofAgent = { agent: id, period: WINDOW };
      return alarm(
        `OneAgentFails-${id}`,
        'oneAgentFails',
        percentage(stream.metricErrors(ofAgent), stream.metricInvocations(ofAgent), {
          atLeast: MIN_AGENT_INVOCATIONS,
          label: `${id}: errors in %`,
          period: WINDOW,
        }),
        AGENT_LIMIT_PERCENT,
        `More than ${AGENT_LIMIT_PERCENT} % of the requests (of at least ${MIN_AGENT_INVOCATIONS}) for the agent "${id}" (${runtimeArn}) failed within 5 minutes`,
      );
    }),
  };
  return { ...alarms, usersAreAffected: composite(scope, alarms, runbookUrl) };
}

/**
 * What a user has as an error. Not a failed connection, which is tried again, and where that does not help it is an
 * error of its own; nor a slow first chunk, which for an agent that calls a tool first is as it should be.
 */
function composite(
  scope: Construct,
  alarms: Omit<StreamAlarms, 'usersAreAffected'>,
  runbookUrl: string | undefined,
): CompositeAlarm {
  const { errorRate, timeouts, throttles, incompleteResponses, functionErrors, oneAgentFails } = alarms;
  return new CompositeAlarm(scope, 'UsersAreAffected', {
    // CloudFormation makes no name for it, and the CDK's is the same in every stack that is made alike.
    compositeAlarmName: `${Stack.of(scope).stackName}-UsersAreAffected-${scope.node.addr.slice(-8)}`,
    alarmRule: AlarmRule.anyOf(
      errorRate,
      timeouts,
      throttles,
      incompleteResponses,
      functionErrors,
      ...oneAgentFails,
    ),
    alarmDescription: `Users are affected: of the alarms ErrorRate, Timeouts, Throttles, IncompleteResponses, FunctionErrors and OneAgentFails at least one is on. Runbook: ${articleLink(runbookUrl, 'usersAreAffected')}`,
  });
}

/** p90, or 0 where there are too few answers: then it is the slowest one or two. */
function warmFirstChunk(stream: AgentStreamFunction): MathExpression {
  return new MathExpression({
    expression: `IF(answers >= ${MIN_INVOCATIONS}, p90, 0)`,
    usingMetrics: {
      answers: stream.metricFirstChunkLatencyWarm({ statistic: Stats.SAMPLE_COUNT, period: WINDOW }),
      p90: stream.metricFirstChunkLatencyWarm({ statistic: Stats.p(90), period: WINDOW }),
    },
    label: 'warm first chunk, p90',
    period: WINDOW,
  });
}

/** Of the attempts, not of the requests: one request may fail to connect several times, or need no connection. */
function connectionFailureRate(stream: AgentStreamFunction): MathExpression {
  const own = (name: Parameters<AgentStreamFunction['metric']>[0]) => stream.metric(name, { period: WINDOW });
  return new MathExpression({
    expression: `IF(invocations >= ${MIN_INVOCATIONS} AND (failed + opened) > 0, 100 * failed / (failed + opened), 0)`,
    usingMetrics: {
      invocations: own('InvocationCount'),
      failed: own('ConnectionFailures'),
      opened: own('ConnectionsOpened'),
    },
    label: 'failed connections in %',
    period: WINDOW,
  });
}
