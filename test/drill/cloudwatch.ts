import type { Template } from 'aws-cdk-lib/assertions';
import { CompositeAlarm, type CompositeAlarmProperties, type Message } from './composite-alarm.ts';
import { type AlarmState, MetricAlarm, type MetricAlarmProperties } from './metric-alarm.ts';
import type { Datapoint } from './metric-math.ts';
import { MetricStore } from './metric-store.ts';

const MINUTE_MS = 60_000;

/** The alarms of a synthesized template over a store of metrics, on a clock of its own. */
export class CloudWatch {
  readonly store = new MetricStore();
  readonly messages: Message[] = [];
  /** Each time when an alarm went off, the composites included. */
  readonly raised: { atMs: number; alarm: string }[] = [];
  readonly #metricAlarms = new Map<string, MetricAlarm>();
  readonly #composites = new Map<string, CompositeAlarm>();

  constructor(template: Template) {
    // Logical ids are as good as names: nothing else refers to an alarm.
    const resources = (type: string) =>
      Object.entries(template.findResources(type)).map(
        ([id, { Properties }]) => [nameOf(id), plain(Properties)] as [string, unknown],
      );
    for (const [name, properties] of resources('AWS::CloudWatch::Alarm')) {
      this.#metricAlarms.set(name, new MetricAlarm(properties as MetricAlarmProperties));
    }
    for (const [name, properties] of resources('AWS::CloudWatch::CompositeAlarm')) {
      this.#composites.set(name, new CompositeAlarm(name, properties as CompositeAlarmProperties));
    }
  }

  get names(): string[] {
    return [...this.#metricAlarms.keys(), ...this.#composites.keys()];
  }

  /** The text of an alarm. */
  description(name: string): string {
    return (this.#metricAlarms.get(name) ?? this.#composites.get(name))?.properties.AlarmDescription ?? '';
  }

  readonly stateOf = (name: string): AlarmState => {
    const alarm = this.#metricAlarms.get(name) ?? this.#composites.get(name);
    if (!alarm) throw new Error(`a rule names an alarm that is not there: ${name}`);
    return alarm.state;
  };

  /** What the template calls the function. */
  get functionName(): string {
    const [, name = ''] = /FunctionName="([^"]+)"/.exec([...this.series].join('\n')) ?? [];
    return name;
  }

  /** The series that metric alarms look at. */
  get series(): Set<string> {
    return new Set([...this.#metricAlarms.values()].flatMap((alarm) => alarm.series));
  }

  /** What a metric alarm computes where its metrics have these values, by name and statistic. */
  computed(alarm: string, valueIn: (metricName: string, statistic: string) => Datapoint): Datapoint {
    const found = this.#metricAlarms.get(alarm);
    if (!found)
      throw new Error(`no alarm "${alarm}": there are ${[...this.#metricAlarms.keys()].join(', ')}`);
    return found.compute(({ Metric, Stat }) => valueIn(Metric.MetricName, Stat));
  }

  /** Evaluates every alarm at the end of each minute from one moment to another. */
  run(fromMs: number, toMs: number): void {
    for (let nowMs = fromMs + MINUTE_MS; nowMs <= toMs; nowMs += MINUTE_MS) this.#evaluate(nowMs);
  }

  #evaluate(nowMs: number): void {
    let changed = [...this.#metricAlarms]
      .filter(([, alarm]) => alarm.evaluate(this.store, nowMs))
      .map(([name]) => name);
    this.#note(changed, nowMs);
    // Composites of composites follow, until nothing changes any more.
    while (changed.length > 0) {
      const cause = changed;
      changed = [...this.#composites]
        .filter(([, alarm]) => alarm.evaluate(this.stateOf, cause, nowMs))
        .map(([name]) => name);
      this.#note(changed, nowMs);
    }
    for (const alarm of this.#composites.values()) {
      const message = alarm.tell(this.stateOf, nowMs);
      if (message) this.messages.push(message);
    }
  }

  #note(names: readonly string[], atMs: number): void {
    for (const alarm of names) if (this.stateOf(alarm) === 'ALARM') this.raised.push({ atMs, alarm });
  }
}

/** Without the construct's id in front and the hash behind: `OneAgentFailsmwc`. */
function nameOf(logicalId: string): string {
  return logicalId.replace(/^Observability/, '').replace(/[0-9A-F]{8}$/, '');
}

/** Properties with intrinsic functions as texts: an alarm by its name, anything else as `<logical id>`. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const {
    Ref,
    'Fn::GetAtt': getAtt,
    'Fn::Join': join,
  } = value as {
    Ref?: string;
    'Fn::GetAtt'?: [string, string];
    'Fn::Join'?: [string, unknown[]];
  };
  if (Ref !== undefined) return `<${Ref}>`;
  if (getAtt) return getAtt[1] === 'Arn' ? nameOf(getAtt[0]) : `<${getAtt.join('.')}>`;
  if (join) return join[1].map(plain).join(join[0]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
