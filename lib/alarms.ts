import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type AgentAlarms, createAgentAlarms } from './agent-alarms.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { type AlarmOptions, createServiceAlarms, type ServiceAlarms } from './service-alarms.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

/** Every alarm, by what it is about, and the composites that tell somebody. */
export interface StreamAlarms extends ServiceAlarms, Notifications {
  /** One entry per agent, in their order. */
  readonly agents: readonly AgentAlarms[];
}

/** Creates them all; whom the composites tell is the caller's matter. */
export function createAlarms(
  scope: Construct,
  stream: AgentStreamFunction,
  options: AlarmOptions,
): StreamAlarms {
  const service = createServiceAlarms(scope, stream, options);
  const agents = stream.agents.map((agent) => createAgentAlarms(scope, stream, agent, options));
  const notifications = createNotifications(scope, service, agents, options.runbookUrl);
  return { ...service, ...notifications, agents };
}

/** Those that watch something, in the order in which somebody looks at them. */
export function everyAlarm(alarms: StreamAlarms): Alarm[] {
  const { throttles, functionErrors, unavailableInAnHour } = alarms;
  return [
    ...alarms.agents.flatMap(({ fails, hangs, failsInAnHour, probeFails, slow }) => [
      fails,
      hangs,
      failsInAnHour,
      ...(probeFails ? [probeFails] : []),
      slow,
    ]),
    throttles,
    functionErrors,
    unavailableInAnHour,
    alarms.errorRate,
    alarms.timeouts,
    alarms.incompleteResponses,
    alarms.connectionFailures,
    alarms.slowStart,
    alarms.slowConnections,
  ];
}
