import { median, ratios, ratiosAbove, type Spread, spreadOf } from './statistics.ts';

/** A row of the table. */
export interface Figure {
  id: string;
  title: string;
  unit: string;
  /** Subtracted from every contender before a ratio is taken. */
  floor?: 'empty';
  /** What ours is to reach. */
  targets?: readonly Target[];
}

export interface Target {
  /** `ratio`: to `of`. `value`: ours itself, in the figure's unit. */
  of: 'raw' | 'signer' | 'value';
  atMost?: number;
  atLeast?: number;
}

/** The targets of `npm run bench -- --check`. */
export const FIGURES: readonly Figure[] = [
  { id: 'bundle', title: 'bundle, loaded at init', unit: 'KiB' },
  { id: 'bundle-all', title: 'bundle, with what the first answer loads', unit: 'KiB' },
  {
    id: 'init',
    title: 'init over an empty handler',
    unit: 'ms',
    floor: 'empty',
    targets: [
      { of: 'raw', atMost: 1.3 },
      { of: 'signer', atMost: 0.5 },
    ],
  },
  {
    id: 'cold',
    title: 'cold: process start to first chunk',
    unit: 'ms',
    targets: [{ of: 'raw', atMost: 1.2 }],
  },
  { id: 'cold-after', title: 'cold: end of the answer to the next poll', unit: 'ms' },
  { id: 'warm-byte', title: 'warm first byte, agent thinks 50 ms', unit: 'ms' },
  {
    id: 'warm-chunk',
    title: 'warm first chunk, agent thinks 50 ms',
    unit: 'ms',
    targets: [{ of: 'raw', atMost: 1.05 }],
  },
  {
    id: 'second-turn',
    title: 'second turn, TLS, 20 ms each way',
    unit: 'ms',
    targets: [{ of: 'raw', atMost: 0.4 }],
  },
  { id: 'pace30-p50', title: 'chunk lag p50, 30/s', unit: 'ms' },
  { id: 'pace30-p99', title: 'chunk lag p99, 30/s', unit: 'ms' },
  { id: 'pace200-p50', title: 'chunk lag p50, 200/s', unit: 'ms', targets: [{ of: 'raw', atMost: 1.15 }] },
  { id: 'pace200-p99', title: 'chunk lag p99, 200/s', unit: 'ms' },
  { id: 'concurrent-p50', title: 'chunk lag p50, 10 streams, 30/s', unit: 'ms' },
  { id: 'concurrent-p99', title: 'chunk lag p99, 10 streams, 30/s', unit: 'ms' },
  {
    id: 'pace200-cpu',
    title: 'CPU per 1,000 chunks, 200/s',
    unit: 'ms',
    targets: [{ of: 'raw', atMost: 1.3 }],
  },
  {
    id: 'flood-cpu',
    title: 'CPU per 1,000 chunks, flood',
    unit: 'ms',
    targets: [{ of: 'raw', atMost: 1.5 }],
  },
  {
    id: 'throughput',
    title: 'throughput, 60 KB messages',
    unit: 'MB/s',
    targets: [{ of: 'raw', atLeast: 0.9 }],
  },
  {
    id: 'memory',
    title: 'memory growth, 64 MB to 8 MB/s',
    unit: 'MiB',
    targets: [{ of: 'value', atMost: 32 }],
  },
  {
    id: 'memory-tokens',
    title: 'memory growth, the same in 200-byte messages',
    unit: 'MiB',
    targets: [{ of: 'value', atMost: 32 }],
  },
];

/** Words instead of a number, and what those for ours must be: half of the 20 chunks, and that it is not all. */
export const OBSERVATIONS = [
  { id: 'drop-caller', title: 'upstream lost half way: the caller has', target: '10 of 20 chunks, an error' },
  { id: 'drop-process', title: 'upstream lost half way: the process', target: 'lives' },
  {
    id: 'reset-caller',
    title: 'upstream reset half way: the caller has',
    target: '10 of 20 chunks, an error',
  },
  { id: 'reset-process', title: 'upstream reset half way: the process', target: 'lives' },
] as const;

/** Words by observation and contender. */
export type Observations = Record<string, Record<string, string>>;

/** Whether each target in words is met, by observation. */
export function judge(observations: Observations): Map<string, boolean> {
  const judged = new Map<string, boolean>();
  for (const { id, target } of OBSERVATIONS) {
    const ours = observations[id]?.ours;
    if (ours !== undefined) judged.set(id, ours === target);
  }
  return judged;
}

/** Samples by figure and contender, one per round. */
export type Samples = Record<string, Record<string, number[]>>;

export interface Row extends Figure {
  /** By contender, in the figure's unit, floor subtracted. */
  values: Record<string, Spread>;
  /** By contender, to raw in the same round. */
  ratios: Record<string, Spread>;
  verdicts: Verdict[];
}

export interface Verdict {
  text: string;
  value: number;
  met: boolean;
}

export function rowsOf(samples: Samples): Row[] {
  return FIGURES.filter(({ id }) => samples[id]?.raw?.length).map((figure) =>
    rowOf(figure, samples[figure.id] ?? {}),
  );
}

function rowOf(figure: Figure, { empty = [], ...samples }: Record<string, number[]>): Row {
  const hasFloor = figure.floor !== undefined && empty.length > 0;
  const ground = hasFloor ? median(empty) : 0;
  const compare = (came: number[], base: number[]) =>
    spreadOf(hasFloor ? ratiosAbove(empty, came, base) : ratios(came, base));
  const values: Row['values'] = {};
  const toRaw: Row['ratios'] = {};
  for (const [name, came] of Object.entries(samples)) {
    values[name] = spreadOf(came.map((value) => value - ground));
    toRaw[name] = compare(came, samples.raw ?? []);
  }
  const verdicts = (figure.targets ?? []).flatMap((target) => {
    const { ours } = samples;
    if (!ours) return [];
    if (target.of === 'value') return [verdictOf(target, values.ours?.median ?? Number.NaN, figure.unit)];
    const base = samples[target.of];
    return base ? [verdictOf(target, compare(ours, base).median, figure.unit)] : [];
  });
  return { ...figure, values, ratios: toRaw, verdicts };
}

function verdictOf({ of, atMost, atLeast }: Target, value: number, unit: string): Verdict {
  const limit = atMost ?? atLeast ?? Number.NaN;
  const met = atMost === undefined ? value >= limit : value <= limit;
  const base = of === 'value' ? ` ${unit}` : ` × ${of}`;
  return { text: `${atMost === undefined ? '≥' : '≤'} ${limit}${base}`, value, met };
}
