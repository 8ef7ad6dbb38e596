import { Duration, Stack } from 'aws-cdk-lib';
import {
  AlarmRule,
  AlarmState,
  AtLeastThreshold,
  CompositeAlarm,
  type CompositeAlarmProps,
  type IAlarmAction,
  type IAlarmRule,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { AgentAlarms } from './agent-alarms.ts';
import { type HostAlarms, hostAlarmsOf } from './host-alarms.ts';
import type { HostWatch } from './host-watch.ts';
import { type Article, articleLink } from './runbook.ts';
import type { ServiceAlarms } from './service-alarms.ts';

/** The composite alarms. At most one of them notifies at a time. */
export interface Notifications {
  /** More than one agent is affected, or the service itself. */
  readonly usersAreAffected: CompositeAlarm;
  /** One alarm per agent, in the order of the agents. Each is silent while `usersAreAffected` is on. */
  readonly agentFails: readonly CompositeAlarm[];
  /** The service is slow, or fails too seldom for the alarms above. Silent while one of them is on. */
  readonly degraded: CompositeAlarm;
  /** `usersAreAffected` or an alarm of `agentFails` is on. This alarm notifies nobody: it keeps `degraded` silent. */
  readonly anybodyIsAffected: CompositeAlarm;
}

/** The alarms that the composite alarms are made of. */
interface Reasons {
  readonly watch: HostWatch;
  readonly host: HostAlarms;
  readonly service: ServiceAlarms;
  readonly agents: readonly AgentAlarms[];
  readonly runbookUrl: string | undefined;
}

/** When several agents fail for one cause, all of them begin to fail within this time. */
const SETTLE = Duration.minutes(3);
/** Agents that failed for one cause recover within this time. An agent that fails for longer is a new incident. */
const RECOVER = Duration.minutes(5);
/** Alarms over two of three windows stay on for up to this time after the cause ends. */
const SUBSIDE = Duration.minutes(15);

/**
 * Decides which alarm notifies, so that one incident is one message. If a single agent is affected, its own alarm
 * notifies, otherwise the alarm of the service. The consequences of an outage stay silent while it lasts, and for a
 * while after it.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-suppression.html
 */
export function createNotifications(
  scope: Construct,
  { watch, host, service, agents, runbookUrl }: Reasons,
): Notifications {
  const composite = (
    id: string,
    article: Article,
    what: string,
    rule: IAlarmRule,
    props: Partial<CompositeAlarmProps> = {},
  ) =>
    new CompositeAlarm(scope, id, {
      // CloudFormation generates no name for a composite alarm, and the CDK would give the same name in every stack
      // whose constructs have the same ids.
      compositeAlarmName: `${Stack.of(scope).stackName}-${id}-${scope.node.addr.slice(-8)}`,
      alarmRule: rule,
      alarmDescription: `${what}. Runbook: ${articleLink(runbookUrl, article)}`,
      ...props,
    });

  const affected = agents.map(({ fails, failsInAnHour, hangs, probeFails }) => [
    fails,
    failsInAnHour,
    hangs,
    ...(probeFails ? [probeFails] : []),
  ]);
  const ids = agents.map(({ agent }) => agent.id).join(', ');
  // One agent may set off alarms of several kinds, so only two alarms of the same kind mean two agents.
  const kinds =
    agents.length < 2 ? [] : (affected[0] ?? []).map((_, kind) => affected.flatMap((own) => own[kind] ?? []));
  const several = kinds.map((operands) =>
    AlarmRule.atLeast(AlarmState.ALARM, { operands, threshold: AtLeastThreshold.count(2) }),
  );
  const usersAreAffected = composite(
    'UsersAreAffected',
    'usersAreAffected',
    `Users are affected: ${agents.length < 2 ? '' : `at least two of the agents ${ids} fail or hang, or `}${watch.affected}; the reason names the alarm that went off last`,
    AlarmRule.anyOf(...hostAlarmsOf(host, watch, 'usersAreAffected'), ...several),
  );
  const agentFails = agents.map(({ agent: { id, runtimeArn } }, i) =>
    composite(
      `AgentFails-${id}`,
      'oneAgentFails',
      `Users of the agent "${id}" (${runtimeArn}) are affected, and users of no other agent: it fails or hangs`,
      AlarmRule.anyOf(...(affected[i] ?? [])),
      {
        actionsSuppressor: usersAreAffected,
        actionsSuppressorWaitPeriod: SETTLE,
        actionsSuppressorExtensionPeriod: RECOVER,
      },
    ),
  );
  const anybodyIsAffected = composite(
    'AnybodyIsAffected',
    'usersAreAffected',
    'Users of at least one agent are affected. This alarm notifies nobody: it keeps the alarm Degraded silent',
    AlarmRule.anyOf(usersAreAffected, ...agentFails),
  );
  const { errorRate, timeouts, incompleteResponses, connectionFailures, slowConnections, slowStart } =
    service;
  const degraded = composite(
    'Degraded',
    'degraded',
    'The service is slower than it should be, retries, or fails now and then: the reason names the alarm that went off first',
    AlarmRule.anyOf(
      errorRate,
      timeouts,
      incompleteResponses,
      connectionFailures,
      slowConnections,
      slowStart,
      ...agents.map(({ slow }) => slow),
      ...hostAlarmsOf(host, watch, 'degraded'),
      ...(service.sessionStore ? [service.sessionStore] : []),
    ),
    {
      actionsSuppressor: anybodyIsAffected,
      actionsSuppressorWaitPeriod: SETTLE,
      actionsSuppressorExtensionPeriod: SUBSIDE,
    },
  );
  return { usersAreAffected, agentFails, degraded, anybodyIsAffected };
}

/** The alarms that notify, the worst first. */
export function notifyingAlarms({ usersAreAffected, agentFails, degraded }: Notifications): CompositeAlarm[] {
  return [usersAreAffected, ...agentFails, degraded];
}

/**
 * Adds the actions to the alarms that notify.
 *
 * @param all whether the alarms also notify when the service degrades, and when an incident is over
 */
export function notify(notifications: Notifications, actions: readonly IAlarmAction[], all: boolean): void {
  const notifying = notifyingAlarms(notifications);
  for (const alarm of all ? notifying : notifying.filter((one) => one !== notifications.degraded)) {
    alarm.addAlarmAction(...actions);
    if (all) alarm.addOkAction(...actions);
  }
}
