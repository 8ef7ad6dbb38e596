import { holds } from './alarm-rule.ts';
import type { AlarmState } from './metric-alarm.ts';

/** The properties of an `AWS::CloudWatch::CompositeAlarm` that decide whom it tells what. */
export interface CompositeAlarmProperties {
  readonly AlarmDescription: string;
  readonly AlarmRule: string;
  readonly AlarmActions?: readonly unknown[];
  readonly OKActions?: readonly unknown[];
  /** Name of another alarm. */
  readonly ActionsSuppressor?: string;
  /** Seconds. */
  readonly ActionsSuppressorWaitPeriod?: number;
  readonly ActionsSuppressorExtensionPeriod?: number;
}

/** What a topic is told. */
export interface Message {
  readonly atMs: number;
  readonly alarm: string;
  readonly state: AlarmState;
  /** Names of the alarms whose change was its own; what its text calls the reason. */
  readonly reason: readonly string[];
}

/**
 * A composite alarm. Its actions are kept back while its suppressor is on, until so long after that, and until it is
 * clear that the suppressor does not follow; what is still so by then is told.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-suppression.html
 */
export class CompositeAlarm {
  readonly name: string;
  readonly properties: CompositeAlarmProperties;
  state: AlarmState = 'INSUFFICIENT_DATA';
  /** What it is about to tell, and not before when. */
  #pending: { message: Message; notBeforeMs: number } | undefined;
  #suppressorLeftAtMs = Number.NEGATIVE_INFINITY;
  #suppressorWasOn = false;

  constructor(name: string, properties: CompositeAlarmProperties) {
    this.name = name;
    this.properties = properties;
  }

  /**
   * @param stateOf the present state of any alarm, by name
   * @param changed names of the alarms whose state has just changed
   * @returns whether its own state has changed
   */
  evaluate(stateOf: (name: string) => AlarmState, changed: readonly string[], nowMs: number): boolean {
    const before = this.state;
    this.state = holds(this.properties.AlarmRule, stateOf) ? 'ALARM' : 'OK';
    if (this.state === before) return false;
    // The first state after its creation is no news, unless it is bad.
    if (before === 'INSUFFICIENT_DATA' && this.state === 'OK') return true;
    const reason = changed.filter((name) => this.properties.AlarmRule.includes(`"${name}"`));
    const message = { atMs: nowMs, alarm: this.name, state: this.state, reason };
    const { ActionsSuppressor, ActionsSuppressorWaitPeriod: waitSeconds = 0 } = this.properties;
    const waits = ActionsSuppressor !== undefined && this.state === 'ALARM';
    const isUntold = this.#pending !== undefined && this.state === 'OK';
    // Gone before it was told: nothing has been.
    this.#pending = isUntold ? undefined : { message, notBeforeMs: nowMs + (waits ? waitSeconds * 1000 : 0) };
    return true;
  }

  /** What it tells now, if anything; to be asked once all states of a moment are known. */
  tell(stateOf: (name: string) => AlarmState, nowMs: number): Message | undefined {
    const { ActionsSuppressor: suppressor, ActionsSuppressorExtensionPeriod: extension = 0 } =
      this.properties;
    if (suppressor !== undefined) {
      const isOn = stateOf(suppressor) === 'ALARM';
      if (this.#suppressorWasOn && !isOn) this.#suppressorLeftAtMs = nowMs;
      this.#suppressorWasOn = isOn;
      if (isOn || nowMs < this.#suppressorLeftAtMs + extension * 1000) return undefined;
    }
    if (!this.#pending || nowMs < this.#pending.notBeforeMs) return undefined;
    const { message } = this.#pending;
    this.#pending = undefined;
    const actions = this.state === 'ALARM' ? this.properties.AlarmActions : this.properties.OKActions;
    return actions?.length ? { ...message, atMs: nowMs } : undefined;
  }
}
