const MINUTE_MS = 60_000;

/** An EMF document, as far as it says what it holds. */
export interface EmfDocument {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [target: string]: unknown;
}

/** A value of one series, and the series by {@link seriesKey}. */
export interface Sample {
  readonly series: string;
  readonly value: number;
}

/** What tells a series from others: namespace, name and dimensions, whatever their order. */
export function seriesKey(
  namespace: string,
  name: string,
  dimensions: readonly { readonly Name: string; readonly Value: unknown }[],
): string {
  const pairs = dimensions.map(({ Name, Value }) => `${Name}=${JSON.stringify(Value)}`).sort();
  return [namespace, name, ...pairs].join(' ');
}

/** The values that CloudWatch takes from an EMF document, a list of values one by one. */
export function samplesOf(document: EmfDocument): Sample[] {
  return document._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) => {
      const dimensions = names.map((Name) => ({ Name, Value: document[Name] }));
      return Metrics.flatMap(({ Name }) =>
        [document[Name]].flat().map((value) => ({
          series: seriesKey(Namespace, Name, dimensions),
          value: Number(value),
        })),
      );
    }),
  );
}

/** CloudWatch's store, to the minute, as its metrics of standard resolution are kept. */
export class MetricStore {
  /** Per series and minute, the values. */
  readonly #minutes = new Map<string, Map<number, number[]>>();
  /** Statistics that have been asked for: alarms ask again for the periods before. */
  readonly #computed = new Map<string, number | undefined>();

  add({ series, value }: Sample, atMs: number): void {
    if (this.#computed.size > 0) this.#computed.clear();
    const minutes = this.#minutes.get(series) ?? new Map<number, number[]>();
    this.#minutes.set(series, minutes);
    const minute = Math.floor(atMs / MINUTE_MS);
    const values = minutes.get(minute);
    if (values) values.push(value);
    else minutes.set(minute, [value]);
  }

  /**
   * A statistic over the minutes before `endMs`; undefined where there is no value.
   *
   * @throws Error for a statistic that no alarm of this project uses
   */
  statistic(series: string, statistic: string, periodMs: number, endMs: number): number | undefined {
    const key = `${series} ${statistic} ${periodMs} ${endMs}`;
    if (!this.#computed.has(key)) this.#computed.set(key, this.#compute(series, statistic, periodMs, endMs));
    return this.#computed.get(key);
  }

  #compute(series: string, statistic: string, periodMs: number, endMs: number): number | undefined {
    const minutes = this.#minutes.get(series);
    if (!minutes) return undefined;
    const values: number[] = [];
    const end = Math.floor(endMs / MINUTE_MS);
    for (let minute = end - periodMs / MINUTE_MS; minute < end; minute += 1) {
      const more = minutes.get(minute);
      if (more) for (const value of more) values.push(value);
    }
    return values.length === 0 ? undefined : compute(statistic, values);
  }
}

function compute(statistic: string, values: number[]): number {
  if (statistic === 'Sum') return values.reduce((sum, value) => sum + value, 0);
  if (statistic === 'SampleCount') return values.length;
  if (statistic === 'Maximum') return values.reduce((a, b) => Math.max(a, b));
  const [, above] = /^TC\((\d+):\)$/.exec(statistic) ?? [];
  if (above !== undefined) return values.filter((value) => value > Number(above)).length;
  const [, percent] = /^p(\d+)$/.exec(statistic) ?? [];
  if (percent === undefined) throw new Error(`no such statistic here: ${statistic}`);
  values.sort((a, b) => a - b);
  // The nearest rank; CloudWatch interpolates between its neighbours.
  return values[Math.max(0, Math.ceil((Number(percent) / 100) * values.length) - 1)] as number;
}
