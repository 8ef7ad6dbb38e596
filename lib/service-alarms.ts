import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { MetricName } from '../lambda/contract.ts';
import { type AlarmRule, AT_ONCE, createAlarm, TWO_OF_THREE } from './alarm.ts';
import {
  ALLOWANCE,
  CONNECTION_LIMIT_PERCENT,
  ERROR_LIMIT_PERCENT,
  INCOMPLETE_LIMIT_PERCENT,
  PAGE_WINDOW,
  SLOW_LIMIT_PERCENT,
  STORE_LIMIT_PERCENT,
  TIMEOUT_LIMIT_PERCENT,
  WINDOW,
} from './alarm-limits.ts';
import type { WatchedStream } from './host-watch.ts';
import { excess, slowExcess } from './metrics.ts';
import type { AgentStreamProbe } from './probe.ts';

/** The alarms of all agents together. */
export interface ServiceAlarms {
  readonly errorRate: Alarm;
  readonly timeouts: Alarm;
  readonly incompleteResponses: Alarm;
  readonly connectionFailures: Alarm;
  /** New connections, and with them new sessions, open slowly. */
  readonly slowConnections: Alarm;
  /** The first chunks of all requests are slow, new sessions included. */
  readonly slowStart: Alarm;
  /** The session store misses answers; undefined when sessions are not kept. */
  readonly sessionStore: Alarm | undefined;
}

/** The limits above which a time counts as slow, in milliseconds. */
export interface SlowLimits {
  /** The limit of a first chunk when no microVM had to be started. */
  readonly slowFirstChunkMs: number;
  /** The limit of the first chunk of any request. */
  readonly slowStartMs: number;
  /** The limit of opening a connection. */
  readonly slowConnectionMs: number;
}

export interface AlarmOptions extends SlowLimits {
  /** The address of the runbook. @default - alarms name its file */
  readonly runbookUrl?: string | undefined;
  /** The probe that asks the agents. @default - no probe */
  readonly probe?: AgentStreamProbe | undefined;
}

const TWICE = 'in two of three periods of 5 minutes';

/** Creates the alarms. The alarms of `notifications.ts` decide which of them notify. */
export function createServiceAlarms(
  scope: Construct,
  stream: WatchedStream,
  options: AlarmOptions,
): ServiceAlarms {
  const { slowConnectionMs, slowStartMs } = options;
  const own = (name: MetricName, period = WINDOW) => stream.metric(name, { period });
  const share = (name: MetricName, percent: number, label: string) =>
    excess(
      { part: own(name) },
      { whole: own('InvocationCount') },
      { percent, label: `${label} beyond ${percent} %`, period: WINDOW },
    );
  const slow = (name: MetricName, limitMs: number, label: string) =>
    slowExcess(own(name), limitMs, {
      percent: SLOW_LIMIT_PERCENT,
      label: `${label} beyond ${SLOW_LIMIT_PERCENT} %`,
      period: PAGE_WINDOW,
    });
  const alarm = (rule: AlarmRule) => createAlarm(scope, rule, options.runbookUrl);

  return {
    errorRate: alarm({
      id: 'ErrorRate',
      article: 'errorRate',
      metric: share('InvocationErrors', ERROR_LIMIT_PERCENT, 'errors'),
      threshold: ALLOWANCE,
      windows: TWO_OF_THREE,
      what: `More than ${ERROR_LIMIT_PERCENT} % of all requests failed, and by more than ${ALLOWANCE} requests, ${TWICE}`,
    }),
    timeouts: alarm({
      id: 'Timeouts',
      article: 'timeouts',
      metric: share('InvocationTimeouts', TIMEOUT_LIMIT_PERCENT, 'timeouts'),
      threshold: ALLOWANCE,
      windows: TWO_OF_THREE,
      what: `More than ${TIMEOUT_LIMIT_PERCENT} % of all requests ran into a time limit, and by more than ${ALLOWANCE} requests, ${TWICE}`,
    }),
    incompleteResponses: alarm({
      id: 'IncompleteResponses',
      article: 'incompleteResponses',
      metric: share('IncompleteResponses', INCOMPLETE_LIMIT_PERCENT, 'incomplete answers'),
      threshold: ALLOWANCE,
      windows: TWO_OF_THREE,
      what: `More than ${INCOMPLETE_LIMIT_PERCENT} % of all answers broke off, and by more than ${ALLOWANCE} answers, ${TWICE}`,
    }),
    connectionFailures: alarm({
      id: 'ConnectionFailures',
      article: 'connectionFailures',
      // The whole is the attempts, not the requests: one request may fail to connect several times, or need no
      // connection.
      metric: excess(
        { failed: own('ConnectionFailures') },
        { failed: own('ConnectionFailures'), opened: own('ConnectionsOpened') },
        {
          percent: CONNECTION_LIMIT_PERCENT,
          label: `failed connections beyond ${CONNECTION_LIMIT_PERCENT} %`,
          period: WINDOW,
        },
      ),
      threshold: ALLOWANCE,
      windows: TWO_OF_THREE,
      what: `More than ${CONNECTION_LIMIT_PERCENT} % of the attempts to connect to AgentCore failed, and by more than ${ALLOWANCE} attempts, ${TWICE}`,
    }),
    slowConnections: alarm({
      id: 'SlowConnections',
      article: 'slowConnections',
      metric: slow('ConnectionTime', slowConnectionMs, 'slow connections'),
      threshold: ALLOWANCE,
      windows: AT_ONCE,
      what: `More than ${SLOW_LIMIT_PERCENT} % of the connections to AgentCore, and by more than ${ALLOWANCE} connections, took over ${slowConnectionMs} ms to open within 15 minutes`,
    }),
    slowStart: alarm({
      id: 'SlowStart',
      article: 'slowFirstChunk',
      metric: slow('FirstChunkLatency', slowStartMs, 'slow answers'),
      threshold: ALLOWANCE,
      windows: AT_ONCE,
      what: `More than ${SLOW_LIMIT_PERCENT} % of all answers, new sessions included, and by more than ${ALLOWANCE} answers, took over ${slowStartMs} ms to their first chunk within 15 minutes`,
    }),
    sessionStore:
      stream.sessionTable &&
      alarm({
        id: 'SessionStore',
        article: 'sessionStore',
        metric: share('SessionStoreFailures', STORE_LIMIT_PERCENT, 'answers that the session store missed'),
        threshold: ALLOWANCE,
        windows: TWO_OF_THREE,
        what: `The session store missed something of more than ${STORE_LIMIT_PERCENT} % of all answers, and by more than ${ALLOWANCE} answers, ${TWICE}; callers got these answers, but may not be able to read them again`,
      }),
  };
}
