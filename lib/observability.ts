import { Aws, CfnMapping, Duration, Token } from 'aws-cdk-lib';
import { type Alarm, type CompositeAlarm, Dashboard, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { createAlarms, type StreamAlarms } from './alarms.ts';
import { fillDashboard } from './dashboard.ts';
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
  /** What the dashboard says is deployed. @default - nothing */
  readonly version?: string;
  /** Whom an alarm tells. @default - nobody: alarms only change colour */
  readonly alarmActions?: readonly IAlarmAction[];
  /**
   * Which alarms tell it, and whether they also tell that it is over.
   *
   * @default - only "users are affected" does, when it begins
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
    const slowFirstChunkMs = (props.slowFirstChunk ?? Duration.seconds(2)).toMilliseconds();
    this.alarms = createAlarms(this, props.stream, { runbookUrl, slowFirstChunkMs });
    const all: (Alarm | CompositeAlarm)[] = Object.values(this.alarms).flat();

    const actions = props.alarmActions ?? [];
    for (const alarm of props.notifyAll ? all : [this.alarms.usersAreAffected]) {
      alarm.addAlarmAction(...actions);
      if (props.notifyAll) alarm.addOkAction(...actions);
    }

    this.dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.minutes(30) });
    fillDashboard(this.dashboard, props.stream, { alarms: all, runbookUrl, slowFirstChunkMs, version });
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
