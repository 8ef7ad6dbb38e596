import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { AgentEntry } from '../lambda/agents.ts';
import { type AlarmRule, createAlarm, TWO_OF_THREE } from './alarm.ts';
import {
  ALLOWANCE,
  ERROR_LIMIT_PERCENT,
  HANG_ALLOWANCE,
  HANG_LIMIT_PERCENT,
  HOUR,
  HOUR_ALLOWANCE,
  HOUR_LIMIT_PERCENT,
  HOUR_MAX_REQUESTS,
  MIN_FOR_MEDIAN,
  MIN_FOR_P90,
  WINDOW,
} from './alarm-limits.ts';
import { excess, slowness } from './metrics.ts';
import type { AlarmOptions } from './service-alarms.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

/** Alarms of one agent; each has the agent's id in its name and in its text. */
export interface AgentAlarms {
  readonly agent: AgentEntry;
  /** Its requests fail. */
  readonly fails: Alarm;
  /** Of the few that it has in an hour more than half failed. */
  readonly failsInAnHour: Alarm;
  /** It takes prompts and does not begin to answer. */
  readonly hangs: Alarm;
  /** Its first chunk is slow, though no microVM was started. */
  readonly slow: Alarm;
}

/** Creates the alarms of one agent; whom they tell is decided in `notifications.ts`. */
export function createAgentAlarms(
  scope: Construct,
  stream: AgentStreamFunction,
  agent: AgentEntry,
  { runbookUrl, slowFirstChunkMs }: AlarmOptions,
): AgentAlarms {
  const { id, runtimeArn } = agent;
  const named = `the agent "${id}" (${runtimeArn})`;
  const ofAgent = { agent: id, period: WINDOW };
  const inAnHour = { agent: id, period: HOUR };
  const alarm = (rule: AlarmRule) => createAlarm(scope, rule, runbookUrl);
  return {
    agent,
    fails: alarm({
      id: `OneAgentFails-${id}`,
      article: 'oneAgentFails',
      metric: excess(
        { part: stream.metricErrors(ofAgent) },
        { whole: stream.metricInvocations(ofAgent) },
        {
          percent: ERROR_LIMIT_PERCENT,
          label: `${id}: errors beyond ${ERROR_LIMIT_PERCENT} %`,
          period: WINDOW,
        },
      ),
      threshold: ALLOWANCE,
      what: `More than ${ERROR_LIMIT_PERCENT} % of the requests for ${named} failed, and by more than ${ALLOWANCE} requests, within 5 minutes`,
    }),
    failsInAnHour: alarm({
      id: `OneAgentFailsInAnHour-${id}`,
      article: 'lowTraffic',
      metric: excess(
        { part: stream.metricErrors(inAnHour) },
        { whole: stream.metricInvocations(inAnHour) },
        {
          percent: HOUR_LIMIT_PERCENT,
          atMost: HOUR_MAX_REQUESTS,
          label: `${id}: errors beyond ${HOUR_LIMIT_PERCENT} %`,
          period: HOUR,
        },
      ),
      threshold: HOUR_ALLOWANCE,
      what: `Of the few requests for ${named} within an hour (at most ${HOUR_MAX_REQUESTS}) more than ${HOUR_LIMIT_PERCENT} % failed, at least three`,
    }),
    hangs: alarm({
      id: `OneAgentHangs-${id}`,
      article: 'hangs',
      metric: excess(
        { waiting: stream.metric('StreamsWaiting', { ...ofAgent, statistic: 'Sum' }) },
        { whole: stream.metricInvocations(ofAgent) },
        { percent: HANG_LIMIT_PERCENT, label: `${id}: minutes of waiting for a first chunk`, period: WINDOW },
      ),
      threshold: HANG_ALLOWANCE,
      what: `Answers of ${named} have waited for their first chunk for over a minute, at least three of them`,
    }),
    slow: alarm({
      id: `SlowFirstChunk-${id}`,
      article: 'slowFirstChunk',
      metric: slowness(stream.metricFirstChunkLatencyWarm(ofAgent), {
        minForP90: MIN_FOR_P90,
        minForMedian: MIN_FOR_MEDIAN,
        label: `${id}: warm first chunk of the slow ones`,
        period: WINDOW,
      }),
      threshold: slowFirstChunkMs,
      windows: TWO_OF_THREE,
      what: `The first chunk of ${named} took over ${slowFirstChunkMs} ms although no microVM was started: one in ten (of fewer than ${MIN_FOR_P90} every other one), in two of three periods of 5 minutes`,
    }),
  };
}
