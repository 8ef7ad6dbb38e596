import { describe, expect, test } from '@jest/globals';
import { FIGURES, judge, rowsOf } from '../../bench/figures.ts';
import {
  random,
  SCENARIOS,
  type Scenario,
  STAMP_BYTES,
  shortened,
  stamp,
  takeStamps,
  textsOf,
} from '../../bench/inputs.ts';
import { quantile, ratios, ratiosAbove, spreadOf } from '../../bench/statistics.ts';
import { formatRatio, formatTable } from '../../bench/table.ts';

const scenarios = Object.entries<Scenario>(SCENARIOS);

describe('the inputs', () => {
  test.each(scenarios)('of %s have the length that they say', (_name, scenario) => {
    const lengths = textsOf(scenario).map((text) => Buffer.byteLength(stamp(0) + text));

    expect(new Set(lengths)).toEqual(new Set([scenario.bytes]));
  });

  test.each(scenarios)(
    'of %s are the same in every run, and differ from message to message',
    (_name, scenario) => {
      const texts = textsOf(scenario);

      expect(textsOf(scenario)).toEqual(texts);
      expect(new Set(texts).size).toBe(texts.length);
    },
  );

  test('hold nothing that looks like a stamp, an end or an error', () => {
    const all = scenarios.flatMap(([, scenario]) => textsOf(scenario)).join('');

    expect(all).toMatch(/^[a-z ]+$/);
    expect(all).not.toMatch(/error/);
  });

  test('are as large as the figures are named after', () => {
    const bytes = ({ messages, bytes }: Scenario) => messages * bytes;

    expect(bytes(SCENARIOS.long)).toBeGreaterThan(64_000_000);
    expect(bytes(SCENARIOS.longInTokens)).toBeGreaterThan(64_000_000);
    expect(SCENARIOS.bulk.bytes).toBe(60_000);
    expect(SCENARIOS.think50.firstMs).toBe(50);
    expect([SCENARIOS.pace30.perSecond, SCENARIOS.pace200.perSecond]).toEqual([30, 200]);
  });

  test('are seeded: the generator gives known numbers', () => {
    const next = random(1);

    expect([next(), next(), next()].map((value) => value.toFixed(6))).toEqual([
      '0.627074',
      '0.002736',
      '0.527447',
    ]);
  });

  test('are shortened without changing what a message is', () => {
    expect(shortened(SCENARIOS.pace200)).toEqual({ ...SCENARIOS.pace200, messages: 40 });
    expect(shortened(SCENARIOS.token).messages).toBe(3);
  });
});

describe('stamps', () => {
  test('have one length, and come back as the times that they were', () => {
    const text = `${stamp(1)} the text ${stamp(123_456_789_012)} and more`;

    expect(stamp(123_456_789_012)).toHaveLength(STAMP_BYTES);
    expect(takeStamps(text).sentAtUs).toEqual([1, 123_456_789_012]);
  });

  test.each(Array.from({ length: 60 }, (_, cut) => cut))('are found when the text is cut at %i', (cut) => {
    const text = `${stamp(11)} the text ${stamp(22)} and more`;

    const first = takeStamps(text.slice(0, cut));
    const second = takeStamps(first.rest + text.slice(cut));

    expect([...first.sentAtUs, ...second.sentAtUs]).toEqual([11, 22]);
  });
});

describe('the statistics', () => {
  test.each([
    [[3], 0.5, 3],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[5, 1, 4, 2, 3], 0.25, 2],
    [[5, 1, 4, 2, 3], 0.99, 4.96],
    [[10, 9, 100], 0, 9],
  ])('quantiles of %j at %d interpolate', (samples, fraction, expected) => {
    expect(quantile(samples, fraction)).toBeCloseTo(expected);
  });

  test('nothing has no quantile', () => {
    expect(() => quantile([], 0.5)).toThrow('a quantile needs at least one sample, got none');
  });

  test('a spread is the median and the quartiles', () => {
    expect(spreadOf([1, 2, 3, 4, 5])).toEqual({ median: 3, q1: 2, q3: 4, samples: 5 });
  });

  test('ratios are taken round by round, so that a slow round cancels out', () => {
    expect(ratios([2, 20, 4], [1, 10, 2])).toEqual([2, 2, 2]);
    expect(ratios([2, 20], [1])).toEqual([2]);
  });

  test('above a floor, ratios are of what is above it', () => {
    expect(ratiosAbove([10, 10, 70], [30, 50], [20, 20, 20])).toEqual([2, 4]);
  });
});

describe('the table', () => {
  const samples = {
    init: { raw: [70, 70, 70], ours: [75, 80, 85], signer: [150, 150, 150], empty: [50, 50, 50] },
    throughput: { raw: [100, 200], ours: [95, 160] },
    memory: { raw: [10], ours: [40] },
    // Raw says of each figure what a ratio is to; without it there is none.
    cold: { ours: [1] },
  };

  test('shows the ratio to raw with its quartiles, and raw as it is', () => {
    const lines = formatTable(rowsOf(samples), {}, ['raw', 'ours', 'signer', 'empty']).split('\n');

    expect(lines[0]).toMatch(
      /^\| ratio to raw \[quartiles\] +\| raw +\| ours +\| signer +\| target for ours +\|$/,
    );
    expect(lines.find((line) => line.includes('throughput'))).toMatch(
      /\| 150 MB\/s +\| 0\.88 \[0\.84-0\.91\] +\| +\| ≥ 0\.9 × raw: 0\.88 MISSED/,
    );
    expect(lines.find((line) => line.includes('init'))).toMatch(
      /\| 20\.0 ms +\| 1\.50 \[1\.38-1\.63\] \| 5\.00 \[5\.00-5\.00\] \| ≤ 1\.3 × raw: 1\.50 MISSED; ≤ 0\.5 × signer: 0\.30 met/,
    );
    expect(lines.some((line) => line.includes('cold'))).toBe(false);
  });

  test('columns line up', () => {
    const lines = formatTable(rowsOf(samples), {}, ['raw', 'ours', 'signer']).split('\n');

    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  test('a target for ours itself is judged in its unit, and one sample shows no spread', () => {
    const row = rowsOf(samples).find(({ id }) => id === 'memory');

    expect(row?.verdicts).toEqual([{ text: '≤ 32 MiB', value: 40, met: false }]);
    expect(formatRatio(row?.ratios.ours)).toBe('4.00');
  });

  test('words stand as they are', () => {
    const words = { 'drop-process': { raw: 'lives', ours: 'dies' } };

    const table = formatTable([], words, ['raw', 'ours']);

    expect(table).toMatch(/\| upstream lost half way: the process \| lives \| dies \| lives: MISSED +\|/);
  });

  test.each([
    ['10 of 20 chunks, an error', true],
    ['0 of 20 chunks, an error', false],
    ['10 of 20 chunks, no error', false],
  ])('of an answer that was cut, %s is judged %s', (ours, met) => {
    expect(judge({ 'drop-caller': { ours } }).get('drop-caller')).toBe(met);
  });

  test('figures have one id each', () => {
    expect(new Set(FIGURES.map(({ id }) => id)).size).toBe(FIGURES.length);
  });
});
