import { Duration } from 'aws-cdk-lib';
import { Color, type GraphWidgetProps, type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { AT_ONCE } from './alarm.ts';
import {
  ALLOWANCE,
  CRASH_LIMIT_PERCENT,
  HOUR,
  HOUR_ALLOWANCE,
  HOUR_LIMIT_PERCENT,
  HOUR_MAX_REQUESTS,
  PAGE_WINDOW,
  THROTTLE_LIMIT_PERCENT,
} from './alarm-limits.ts';
import type { HostWatch } from './host-watch.ts';
import { excess } from './metrics.ts';
import type { AgentStreamFunction } from './streaming-function.ts';
import { axis, graph, limitLines } from './widgets.ts';

const BEYOND = `and by more than ${ALLOWANCE} requests, within 15 minutes`;

/** Watches a function behind its URL. Lambda counts the requests that it refuses and those during which the function crashes. */
export function watchFunction(stream: AgentStreamFunction): HostWatch {
  return {
    alarms: alarmsOf(stream),
    affected: 'the function itself refuses requests, crashes or does not start',
    noData:
      'If there is no data while the Function URL has requests, the function does not start, or Lambda refuses them (row "Lambda").',
    lost: { title: 'Failures, throttles and crashes', metrics: [throttles(stream), crashes(stream)] },
    streaming: graph('Concurrent streams', 6, { left: [concurrency(stream)], ...reservedLine(stream) }),
    row: {
      title: 'Lambda',
      lookFor:
        'One answer is one concurrent execution. Throttles mean that users got 429. Of the rows above, only "Is it healthy?" shows crashes. A 5xx without a failure above is a crash or comes from the stack route.',
      article: 'throttles',
      widgets: platform(stream),
    },
  };
}

function alarmsOf({ function: fn }: AgentStreamFunction): HostWatch['alarms'] {
  return {
    throttles: {
      id: 'Throttles',
      reasonOf: 'usersAreAffected',
      article: 'throttles',
      metric: excess(
        { throttled: fn.metricThrottles({ period: PAGE_WINDOW }) },
        {
          throttled: fn.metricThrottles({ period: PAGE_WINDOW }),
          taken: fn.metricInvocations({ period: PAGE_WINDOW }),
        },
        {
          percent: THROTTLE_LIMIT_PERCENT,
          label: `throttles beyond ${THROTTLE_LIMIT_PERCENT} %`,
          period: PAGE_WINDOW,
        },
      ),
      threshold: ALLOWANCE,
      windows: AT_ONCE,
      what: `Lambda refused more than ${THROTTLE_LIMIT_PERCENT} % of the requests with 429, as no concurrency was available, ${BEYOND}`,
    },
    functionErrors: {
      id: 'FunctionErrors',
      reasonOf: 'usersAreAffected',
      article: 'functionErrors',
      metric: excess(
        { part: fn.metricErrors({ period: PAGE_WINDOW }) },
        { whole: fn.metricInvocations({ period: PAGE_WINDOW }) },
        {
          percent: CRASH_LIMIT_PERCENT,
          label: `crashes beyond ${CRASH_LIMIT_PERCENT} %`,
          period: PAGE_WINDOW,
        },
      ),
      threshold: ALLOWANCE,
      windows: AT_ONCE,
      what: `The function did not start, crashed or was ended by Lambda for more than ${CRASH_LIMIT_PERCENT} % of the requests, ${BEYOND}; such a request is in none of its own metrics`,
    },
    unavailableInAnHour: {
      id: 'UnavailableInAnHour',
      reasonOf: 'usersAreAffected',
      article: 'lowTraffic',
      metric: excess(
        { crashed: fn.metricErrors({ period: HOUR }), throttled: fn.metricThrottles({ period: HOUR }) },
        { throttled: fn.metricThrottles({ period: HOUR }), taken: fn.metricInvocations({ period: HOUR }) },
        {
          percent: HOUR_LIMIT_PERCENT,
          atMost: HOUR_MAX_REQUESTS,
          label: `crashes and throttles beyond ${HOUR_LIMIT_PERCENT} %`,
          period: HOUR,
        },
      ),
      threshold: HOUR_ALLOWANCE,
      windows: AT_ONCE,
      what: `More than ${HOUR_LIMIT_PERCENT} % of the few requests of an hour (at most ${HOUR_MAX_REQUESTS}) met a function that did not start, crashed or had no concurrency left, at least three of them`,
    },
  };
}

function throttles({ function: fn }: AgentStreamFunction): IMetric {
  return fn.metricThrottles({ label: 'throttles', color: Color.ORANGE });
}

function crashes({ function: fn }: AgentStreamFunction): IMetric {
  return fn.metricErrors({ label: 'crashes', color: Color.RED });
}

function concurrency(stream: AgentStreamFunction): IMetric {
  return stream.metricConcurrentStreams({ label: 'streams', period: Duration.minutes(1) });
}

/** A line at the reserved concurrency, if any. */
function reservedLine({
  reservedConcurrentExecutions: value,
}: AgentStreamFunction): Partial<GraphWidgetProps> {
  return value === undefined ? {} : limitLines({ reserved: value });
}

function platform(stream: AgentStreamFunction) {
  const { function: fn } = stream;
  return [
    graph('Concurrency and throttles', 6, {
      left: [concurrency(stream)],
      right: [throttles(stream)],
      rightYAxis: { min: 0, showUnits: false },
      ...reservedLine(stream),
    }),
    graph('Duration of invocations', 6, {
      left: [
        fn.metricDuration({ statistic: Stats.p(50), label: 'p50' }),
        fn.metricDuration({ statistic: 'Maximum', label: 'max' }),
      ],
      ...axis('ms'),
      ...limitLines({ timeout: (fn.timeout ?? Duration.minutes(15)).toMilliseconds() }),
    }),
    graph('Cold starts and crashes', 6, {
      left: [stream.metric('ColdStart', { label: 'cold starts' }), crashes(stream)],
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
