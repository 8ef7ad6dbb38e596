import { Aws, CfnMapping, Duration, Token } from 'aws-cdk-lib';
import { Dashboard, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { createAlarms, everyAlarm, type StreamAlarms } from './alarms.ts';
import { fillDashboard } from './dashboard.ts';
import { notify, tellingAlarms } from './notifications.ts';
import type { AgentStreamProbe } from './probe.ts';
import { checkRunbookUrl } from './runbook.ts';
import type { AgentStreamFunction } from './streaming-function.ts';

export interface AgentStreamObservabilityProps {
  /** What is watched. */
  readonly stream: AgentStreamFunction;
  /**
   * Address where docs/runbook.md is read; alarms and dashboard add the article's anchor to it.
   *
   * @default - they name the file and the anchor, `docs/runbook.md#error-rate`
   */
  readonly runbookUrl?: string;
  /**
   * From when on a first chunk is slow where no microVM had to be started. An agent that calls a tool before its
   * first chunk needs more.
   *
   * @default - 2 s
   */
  readonly slowFirstChunk?: Duration;
  /**
   * From when on the first chunk of any request is slow, those included for which AgentCore had to start a session.
   *
   * @default - 10 s
   */
  readonly slowStart?: Duration;
  /**
   * From when on opening a connection to AgentCore is slow, the start of a session included.
   *
   * @default - 5 s
   */
  readonly slowConnection?: Duration;
  /** Asks the agents; its alarms tell as those of users do. @default - only users ask */
  readonly probe?: AgentStreamProbe;
  /** What the dashboard says is deployed. @default - nothing */
  readonly version?: string;
  /** Whom an alarm tells. @default - nobody: alarms only change colour */
  readonly alarmActions?: readonly IAlarmAction[];
  /**
   * Whether it is also told what degrades the service while nobody is affected, and that something is over.
   *
   * @default - only that users are affected, or those of one agent, when it begins
   */
  readonly notifyAll?: boolean;
}

/** The dashboard and the alarms of one {@link AgentStreamFunction}. */
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
    this.alarms = createAlarms(this, props.stream, { runbookUrl, probe: props.probe, ...slowLimits });
    notify(this.alarms, props.alarmActions ?? [], props.notifyAll ?? false);

    this.dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.minutes(30) });
    fillDashboard(this.dashboard, props.stream, {
      telling: tellingAlarms(this.alarms),
      alarms: everyAlarm(this.alarms),
      runbookUrl,
      version,
      probe: props.probe,
      ...slowLimits,
    });
  }

  /** Where a person opens the dashboard. The console's domain is the partition's, known at deployment only. */
  get dashboardUrl(): string {
    this.#consoleDomains ??= new CfnMapping(this, 'Console', { mapping: CONSOLE_DOMAINS });
    const domain = this.#consoleDomains.findInMap(Aws.PARTITION, 'domain');
    return `https://${domain}/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${this.dashboard.dashboardName}`;
  }
}

/** By partition. Those of the isolated ones are not public, and none of them has AgentCore. */
const CONSOLE_DOMAINS = {
  aws: { domain: 'console.aws.amazon.com' },
  'aws-cn': { domain: 'console.amazonaws.cn' },
  'aws-us-gov': { domain: 'console.amazonaws-us-gov.com' },
  'aws-eusc': { domain: 'console.amazonaws-eusc.eu' },
};
