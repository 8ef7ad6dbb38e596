import { Duration } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { AgentEntry } from '../lambda/agents.ts';
import { type AlarmRule, AT_ONCE, createAlarm } from './alarm.ts';
import {
  ALLOWANCE,
  ERROR_LIMIT_PERCENT,
  HANG_ALLOWANCE,
  HANG_LIMIT_PERCENT,
  HOUR,
  HOUR_ALLOWANCE,
  HOUR_LIMIT_PERCENT,
  HOUR_MAX_REQUESTS,
  PAGE_WINDOW,
  SLOW_LIMIT_PERCENT,
  WINDOW,
} from './alarm-limits.ts';
import type { WatchedStream } from './host-watch.ts';
import { excess, slowExcess } from './metrics.ts';
import type { AlarmOptions } from './service-alarms.ts';

/** The alarms of one agent. Each has the agent's id in its name and in its text. */
export interface AgentAlarms {
  readonly agent: AgentEntry;
  /** The agent's requests fail. */
  readonly fails: Alarm;
  /** The agent has few requests, and more than half of them failed within an hour. */
  readonly failsInAnHour: Alarm;
  /** The agent takes prompts and does not begin to answer. */
  readonly hangs: Alarm;
  /** The agent does not answer the probe. Undefined when there is no probe. */
  readonly probeFails: Alarm | undefined;
  /** The agent's first chunk is slow, although no microVM was started. */
  readonly slow: Alarm;
}

/** Creates the alarms of one agent. The alarms of `notifications.ts` decide which of them notify. */
export function createAgentAlarms(
  scope: Construct,
  stream: WatchedStream,
  agent: AgentEntry,
  { runbookUrl, slowFirstChunkMs, probe }: AlarmOptions,
): AgentAlarms {
  const { id, runtimeArn } = agent;
  const named = `the agent "${id}" (${runtimeArn})`;
  const ofAgent = { agent: id, period: WINDOW };
  const paging = { agent: id, period: PAGE_WINDOW };
  const inAnHour = { agent: id, period: HOUR };
  const alarm = (rule: AlarmRule) => createAlarm(scope, rule, runbookUrl);
  return {
    agent,
    fails: alarm({
      id: `OneAgentFails-${id}`,
      article: 'oneAgentFails',
      metric: excess(
        { part: stream.metric('InvocationErrors', paging) },
        { whole: stream.metric('InvocationCount', paging) },
        {
          percent: ERROR_LIMIT_PERCENT,
          label: `${id}: errors beyond ${ERROR_LIMIT_PERCENT} %`,
          period: PAGE_WINDOW,
        },
      ),
      threshold: ALLOWANCE,
      windows: AT_ONCE,
      what: `More than ${ERROR_LIMIT_PERCENT} % of the requests for ${named} failed, and by more than ${ALLOWANCE} requests, within 15 minutes`,
    }),
    failsInAnHour: alarm({
      id: `OneAgentFailsInAnHour-${id}`,
      article: 'lowTraffic',
      metric: excess(
        { part: stream.metric('InvocationErrors', inAnHour) },
        { whole: stream.metric('InvocationCount', inAnHour) },
        {
          percent: HOUR_LIMIT_PERCENT,
          atMost: HOUR_MAX_REQUESTS,
          label: `${id}: errors beyond ${HOUR_LIMIT_PERCENT} %`,
          period: HOUR,
        },
      ),
      threshold: HOUR_ALLOWANCE,
      windows: AT_ONCE,
      what: `More than ${HOUR_LIMIT_PERCENT} % of the few requests (at most ${HOUR_MAX_REQUESTS}) for ${named} failed within an hour, at least three of them`,
    }),
    hangs: alarm({
      id: `OneAgentHangs-${id}`,
      article: 'hangs',
      metric: excess(
        { waiting: stream.metric('StreamsWaiting', { ...ofAgent, statistic: 'Sum' }) },
        { whole: stream.metric('InvocationCount', ofAgent) },
        { percent: HANG_LIMIT_PERCENT, label: `${id}: minutes of waiting for a first chunk`, period: WINDOW },
      ),
      threshold: HANG_ALLOWANCE,
      windows: AT_ONCE,
      what: `Answers of ${named} have waited for their first chunk for over a minute, at least three of them`,
    }),
    probeFails:
      probe &&
      alarm({
        id: `ProbeFails-${id}`,
        article: 'probe',
        // The period covers two runs of the probe, so that at least one run is always in it.
        metric: probe.metricFailures(id).with({ period: Duration.seconds(2 * probe.every.toSeconds()) }),
        threshold: 0,
        windows: AT_ONCE,
        what: `The probe asked ${named} twice in a row, and had no answer chunk by chunk`,
      }),
    slow: alarm({
      id: `SlowFirstChunk-${id}`,
      article: 'slowFirstChunk',
      metric: slowExcess(stream.metric('FirstChunkLatencyWarm', ofAgent), slowFirstChunkMs, {
        percent: SLOW_LIMIT_PERCENT,
        label: `${id}: slow answers beyond ${SLOW_LIMIT_PERCENT} %`,
        period: PAGE_WINDOW,
      }),
      threshold: ALLOWANCE,
      windows: AT_ONCE,
      what: `More than ${SLOW_LIMIT_PERCENT} % of the answers of ${named}, and by more than ${ALLOWANCE} answers, took over ${slowFirstChunkMs} ms to their first chunk within 15 minutes, although no microVM was started`,
    }),
  };
}
