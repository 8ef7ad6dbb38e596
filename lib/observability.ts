import { Aws, CfnMapping, Duration, Token } from 'aws-cdk-lib';
import { Dashboard, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { createAlarms, everyAlarm, type StreamAlarms } from './alarms.ts';
import { fillDashboard } from './dashboard.ts';
import { notify, notifyingAlarms } from './notifications.ts';
import type { AgentStreamProbe } from './probe.ts';
import { checkRunbookUrl } from './runbook.ts';
import type { AgentStreamFunction } from './streaming-function.ts';
import { watchOf } from './watches.ts';
import type { AgentStreamWebFunction } from './web-function.ts';

export interface AgentStreamObservabilityProps {
  /** The function or the Web Function to watch. */
  readonly stream: AgentStreamFunction | AgentStreamWebFunction;
  /**
   * The address where docs/runbook.md is read. Alarms and dashboard add the article's anchor to it.
   *
   * @default - alarms and dashboard name the file and the anchor, such as `docs/runbook.md#error-rate`
   */
  readonly runbookUrl?: string;
  /**
   * The limit above which a first chunk counts as slow when no microVM had to be started. An agent that calls a tool
   * before its first chunk needs a higher limit.
   *
   * @default - 2 s
   */
  readonly slowFirstChunk?: Duration;
  /**
   * The limit above which the first chunk of any request counts as slow, the start of a session included.
   *
   * @default - 10 s
   */
  readonly slowStart?: Duration;
  /**
   * The limit above which opening a connection to AgentCore counts as slow, the start of a session included.
   *
   * @default - 5 s
   */
  readonly slowConnection?: Duration;
  /** The probe that asks the agents. Its alarms notify like the alarms on users' requests. @default - no probe */
  readonly probe?: AgentStreamProbe;
  /** The deployed version that the dashboard shows. @default - the dashboard shows no version */
  readonly version?: string;
  /** The actions of the alarms that notify. @default - none: alarms only change colour */
  readonly alarmActions?: readonly IAlarmAction[];
  /**
   * Whether alarms also notify when the service degrades while no user is affected, and when an incident is over.
   *
   * @default - alarms notify only when users, of the service or of one agent, begin to be affected
   */
  readonly notifyAll?: boolean;
}

/**
 * The dashboard and the alarms of one {@link AgentStreamFunction} or {@link AgentStreamWebFunction}. They rest on the metrics
 * and the log that both write in the same way; each host adds its own.
 */
export class AgentStreamObservability extends Construct {
  readonly dashboard: Dashboard;
  readonly alarms: StreamAlarms;
  #consoleDomains: CfnMapping | undefined;

  constructor(scope: Construct, id: string, props: AgentStreamObservabilityProps) {
    super(scope, id);
    const { runbookUrl, version } = props;
    if (runbookUrl !== undefined && !Token.isUnresolved(runbookUrl)) checkRunbookUrl(runbookUrl);
    const slowLimits = {
      slowFirstChunkMs: (props.slowFirstChunk ?? Duration.seconds(2)).toMilliseconds(),
      slowStartMs: (props.slowStart ?? Duration.seconds(10)).toMilliseconds(),
      slowConnectionMs: (props.slowConnection ?? Duration.seconds(5)).toMilliseconds(),
    };
    const watch = watchOf(props.stream);
    this.alarms = createAlarms(this, props.stream, watch, { runbookUrl, probe: props.probe, ...slowLimits });
    notify(this.alarms, props.alarmActions ?? [], props.notifyAll ?? false);

    this.dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.minutes(30) });
    fillDashboard(this.dashboard, props.stream, {
      watch,
      notifying: notifyingAlarms(this.alarms),
      alarms: everyAlarm(this.alarms),
      runbookUrl,
      version,
      probe: props.probe,
      ...slowLimits,
    });
  }

  /** The dashboard's address in the console. Its domain depends on the partition, which is known only at deployment. */
  get dashboardUrl(): string {
    this.#consoleDomains ??= new CfnMapping(this, 'Console', { mapping: CONSOLE_DOMAINS });
    const domain = this.#consoleDomains.findInMap(Aws.PARTITION, 'domain');
    return `https://${domain}/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${this.dashboard.dashboardName}`;
  }
}

/** The console's domain by partition. Isolated partitions have no public domain and no AgentCore. */
const CONSOLE_DOMAINS = {
  aws: { domain: 'console.aws.amazon.com' },
  'aws-cn': { domain: 'console.amazonaws.cn' },
  'aws-us-gov': { domain: 'console.amazonaws-us-gov.com' },
  'aws-eusc': { domain: 'console.amazonaws-eusc.eu' },
};
