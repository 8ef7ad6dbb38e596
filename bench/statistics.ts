/** Median and interquartile range of some samples. */
export interface Spread {
  median: number;
  q1: number;
  q3: number;
  samples: number;
}

/**
 * The quantile of samples in any order, interpolated between neighbours.
 *
 * @param fraction from 0 to 1
 * @throws RangeError without samples
 */
export function quantile(samples: readonly number[], fraction: number): number {
  if (samples.length === 0) throw new RangeError('a quantile needs at least one sample, got none');
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

export function spreadOf(samples: readonly number[]): Spread {
  return {
    median: median(samples),
    q1: quantile(samples, 0.25),
    q3: quantile(samples, 0.75),
    samples: samples.length,
  };
}

/** Ratios to a base of the same round: what disturbed the machine in a round disturbed both. */
export function ratios(samples: readonly number[], base: readonly number[]): number[] {
  const rounds = Math.min(samples.length, base.length);
  return Array.from({ length: rounds }, (_, round) => (samples[round] as number) / (base[round] as number));
}

/**
 * Ratios of what samples and base have above a floor. By medians of base and floor: of a single round the small
 * differences may be anything.
 */
export function ratiosAbove(
  floor: readonly number[],
  samples: readonly number[],
  base: readonly number[],
): number[] {
  const ground = median(floor);
  return samples.map((sample) => (sample - ground) / (median(base) - ground));
}
