import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type AgentAlarms, createAgentAlarms } from './agent-alarms.ts';
import { createHostAlarms, type HostAlarms } from './host-alarms.ts';
import type { HostWatch, WatchedStream } from './host-watch.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { type AlarmOptions, createServiceAlarms, type ServiceAlarms } from './service-alarms.ts';

/** The alarms of metrics by their subject, and the composite alarms that notify. */
export interface StreamAlarms extends ServiceAlarms, HostAlarms, Notifications {
  /** One entry per agent, in the order of the agents. */
  readonly agents: readonly AgentAlarms[];
}

/** Creates all alarms. The caller decides whom the composite alarms notify. */
export function createAlarms(
  scope: Construct,
  stream: WatchedStream,
  watch: HostWatch,
  options: AlarmOptions,
): StreamAlarms {
  const { runbookUrl } = options;
  const host = createHostAlarms(scope, watch, runbookUrl);
  const service = createServiceAlarms(scope, stream, options);
  const agents = stream.agents.map((agent) => createAgentAlarms(scope, stream, agent, options));
  const notifications = createNotifications(scope, { watch, host, service, agents, runbookUrl });
  return { ...host, ...service, ...notifications, agents };
}

/** The alarms of metrics, in the order in which on-call looks at them. */
export function everyAlarm(alarms: StreamAlarms): Alarm[] {
  return [
    ...alarms.agents.flatMap(({ fails, hangs, failsInAnHour, probeFails, slow }) => [
      fails,
      hangs,
      failsInAnHour,
      ...(probeFails ? [probeFails] : []),
      slow,
    ]),
    ...Object.values(alarms.host),
    alarms.errorRate,
    alarms.timeouts,
    alarms.incompleteResponses,
    alarms.connectionFailures,
    alarms.slowStart,
    alarms.slowConnections,
    ...(alarms.sessionStore ? [alarms.sessionStore] : []),
  ];
}
