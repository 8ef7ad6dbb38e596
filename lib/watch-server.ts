import { Duration } from 'aws-cdk-lib';
import { Color, type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../lambda/contract.ts';
import { AT_ONCE } from './alarm.ts';
import {
  ALLOWANCE,
  HOUR,
  HOUR_ALLOWANCE,
  HOUR_LIMIT_PERCENT,
  HOUR_MAX_REQUESTS,
  PAGE_WINDOW,
} from './alarm-limits.ts';
import type { HostWatch } from './host-watch.ts';
import { excess } from './metrics.ts';
import type { AgentStreamWebFunction } from './web-function.ts';
import { graph } from './widgets.ts';

/** Watches a server, which has many answers in one process. It counts its failed starts and its crashes itself. */
export function watchServer(stream: AgentStreamWebFunction): HostWatch {
  const within = (name: MetricName, period: Duration) => stream.metric(name, { period });
  /**
   * A number of failures that are rare. The requests are in the expression so that it has a value, 0, where nothing fails;
   * without one CloudWatch would go back to the values of the windows before, and the alarm would go off again.
   */
  const number = (name: MetricName, label: string) =>
    excess(
      { failed: within(name, PAGE_WINDOW) },
      { answered: within('InvocationCount', PAGE_WINDOW) },
      { percent: 0, label, period: PAGE_WINDOW },
    );
  return {
    alarms: {
      cannotStart: {
        id: 'ServerStartFailures',
        reasonOf: 'usersAreAffected',
        article: 'cannotStart',
        // The number counts and not a share: nothing tells how many requests waited for a start, and older environments
        // go on serving.
        metric: number('ServerStartFailures', 'failed starts'),
        threshold: ALLOWANCE,
        windows: AT_ONCE,
        what: `The server could not start more than ${ALLOWANCE} times within 15 minutes; requests that waited for it got no answer and are in no other metric`,
      },
      unavailableInAnHour: {
        id: 'UnavailableInAnHour',
        reasonOf: 'usersAreAffected',
        article: 'lowTraffic',
        metric: excess(
          { failed: within('ServerStartFailures', HOUR) },
          { failed: within('ServerStartFailures', HOUR), answered: within('InvocationCount', HOUR) },
          {
            percent: HOUR_LIMIT_PERCENT,
            atMost: HOUR_MAX_REQUESTS,
            label: `failed starts beyond ${HOUR_LIMIT_PERCENT} %`,
            period: HOUR,
          },
        ),
        threshold: HOUR_ALLOWANCE,
        windows: AT_ONCE,
        what: `More than ${HOUR_LIMIT_PERCENT} % of the few requests of an hour (at most ${HOUR_MAX_REQUESTS}) met a server that could not start, at least three of them`,
      },
      uncaught: {
        id: 'ServerCrashes',
        reasonOf: 'degraded',
        article: 'uncaught',
        // A single crash is a bug. The answers that it cut short are in the metrics of their agents.
        metric: number('ServerCrashes', 'crashes'),
        threshold: 0,
        windows: AT_ONCE,
        what: 'An error that nobody caught ended a server and its running answers within 15 minutes',
      },
    },
    affected: 'the server does not start',
    noData: 'If there is no data while callers see errors, the server does not start (row "Server").',
    lost: { title: 'Failures, failed starts and crashes', metrics: ends(stream) },
    streaming: graph('Concurrent streams', 6, { left: [open(stream)] }),
    row: {
      title: 'Server',
      lookFor:
        'Each failed start and each crash has a line in the log that says why ("The server cannot start", "Uncaught"). The metrics that Lambda has of a Web Function are in the namespace AWS/Lambda/Web.',
      article: 'cannotStart',
      widgets: [
        graph('Failed starts and crashes', 12, { left: ends(stream) }),
        graph('Rejected by the server', 12, {
          left: [stream.metric('RequestsRejected', { label: "callers' mistakes" })],
        }),
      ],
    },
  };
}

/** The failed starts and the crashes. */
function ends(stream: AgentStreamWebFunction): Metric[] {
  return [
    stream.metric('ServerStartFailures', { label: 'failed starts', color: Color.ORANGE }),
    stream.metric('ServerCrashes', { label: 'crashes', color: Color.RED }),
  ];
}

function open(stream: AgentStreamWebFunction): Metric {
  return stream.metric('StreamsOpen', {
    statistic: Stats.SUM,
    period: Duration.minutes(1),
    label: 'open for over a minute',
  });
}
