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
import { type Article, articleLink } from './runbook.ts';
import type { ServiceAlarms } from './service-alarms.ts';

/** The alarms that tell somebody. At most one of them does so at a time. */
export interface Notifications {
  /** More than one agent is affected, or the service itself. */
  readonly usersAreAffected: CompositeAlarm;
  /** One per agent, in their order. Silent while `usersAreAffected` is on. */
  readonly agentFails: readonly CompositeAlarm[];
  /** What no user has as an error yet, or what is too thin for the others. Silent while one of those is on. */
  readonly degraded: CompositeAlarm;
  /** Whether one of the others is on; tells nobody, and keeps `degraded` silent. */
  readonly anybodyIsAffected: CompositeAlarm;
}

/** Agents that fail together do so within minutes of each other. */
const SETTLE = Duration.minutes(3);
/** They recover so, too; one that does not is news after that. */
const RECOVER = Duration.minutes(5);
/** Of two of three windows the last ones end long after the cause has. */
const SUBSIDE = Duration.minutes(15);

/**
 * Decides who is told what, so that one incident is one message: an agent's own, if it is alone; that of the service,
 * if it is not. What an outage brings with it stays silent as long as it lasts, and for a while after.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-suppression.html
 */
export function createNotifications(
  scope: Construct,
  service: ServiceAlarms,
  agents: readonly AgentAlarms[],
  runbookUrl: string | undefined,
): Notifications {
  const { throttles, functionErrors, unavailableInAnHour } = service;
  const composite = (
    id: string,
    article: Article,
    what: string,
    rule: IAlarmRule,
    props: Partial<CompositeAlarmProps> = {},
  ) =>
    new CompositeAlarm(scope, id, {
      // CloudFormation makes no name for it, and the CDK's is the same in every stack that is made alike.
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
  // An agent may have several reasons to be on, so that two agents are two alarms of the same kind.
  const kinds =
    agents.length < 2 ? [] : (affected[0] ?? []).map((_, kind) => affected.flatMap((own) => own[kind] ?? []));
  const several = kinds.map((operands) =>
    AlarmRule.atLeast(AlarmState.ALARM, { operands, threshold: AtLeastThreshold.count(2) }),
  );
  const usersAreAffected = composite(
    'UsersAreAffected',
    'usersAreAffected',
    `Users are affected: ${agents.length < 2 ? '' : `at least two of the agents ${ids} fail or hang, or `}the function itself refuses requests, crashes or does not start; the reason names the alarm that came last`,
    AlarmRule.anyOf(throttles, functionErrors, unavailableInAnHour, ...several),
  );
  const agentFails = agents.map(({ agent: { id, runtimeArn } }, i) =>
    composite(
      `AgentFails-${id}`,
      'oneAgentFails',
      `Users of the agent "${id}" (${runtimeArn}) are affected, and of no other: it fails or hangs`,
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
    'Users are affected, of one agent or of more. Tells nobody: it keeps Degraded silent meanwhile',
    AlarmRule.anyOf(usersAreAffected, ...agentFails),
  );
  const { errorRate, timeouts, incompleteResponses, connectionFailures, slowConnections, slowStart } =
    service;
  const degraded = composite(
    'Degraded',
    'degraded',
    'Something is slower than it should be, is tried again, or fails now and then: the reason names the alarm that came first',
    AlarmRule.anyOf(
      errorRate,
      timeouts,
      incompleteResponses,
      connectionFailures,
      slowConnections,
      slowStart,
      ...agents.map(({ slow }) => slow),
    ),
    {
      actionsSuppressor: anybodyIsAffected,
      actionsSuppressorWaitPeriod: SETTLE,
      actionsSuppressorExtensionPeriod: SUBSIDE,
    },
  );
  return { usersAreAffected, agentFails, degraded, anybodyIsAffected };
}

/** The alarms that somebody is told by, the worst first. */
export function tellingAlarms({ usersAreAffected, agentFails, degraded }: Notifications): CompositeAlarm[] {
  return [usersAreAffected, ...agentFails, degraded];
}

/**
 * Has the alarms tell somebody.
 *
 * @param all also what degrades the service, and when something is over
 */
export function notify(notifications: Notifications, actions: readonly IAlarmAction[], all: boolean): void {
  const telling = tellingAlarms(notifications);
  for (const alarm of all ? telling : telling.filter((one) => one !== notifications.degraded)) {
    alarm.addAlarmAction(...actions);
    if (all) alarm.addOkAction(...actions);
  }
}
