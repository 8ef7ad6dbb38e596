import { judge, OBSERVATIONS, type Observations, type Row } from './figures.ts';
import type { Spread } from './statistics.ts';

/** The result for people: per figure raw's own median, and everyone's ratio to raw with its interquartile range. */
export function formatTable(
  rows: readonly Row[],
  observations: Observations,
  contenders: readonly string[],
): string {
  const others = contenders.filter((name) => name !== 'raw' && name !== 'empty');
  const judged = judge(observations);
  const lines = [
    ['ratio to raw [quartiles]', 'raw', ...others, 'target for ours'],
    ...rows.map((row) => [
      row.title,
      row.values.raw ? `${digits(row.values.raw.median)} ${row.unit}` : '',
      ...others.map((name) => formatRatio(row.ratios[name])),
      row.verdicts
        .map(({ text, value, met }) => `${text}: ${digits(value)} ${met ? 'met' : 'MISSED'}`)
        .join('; '),
    ]),
    ...OBSERVATIONS.filter(({ id }) => observations[id]).map(({ id, title, target }) => [
      title,
      observations[id]?.raw ?? '',
      ...others.map((name) => observations[id]?.[name] ?? ''),
      judged.has(id) ? `${target}: ${judged.get(id) ? 'met' : 'MISSED'}` : '',
    ]),
  ];
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const [head = [], ...body] = lines;
  const format = (line: string[]) => `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [
    format(head),
    `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...body.map(format),
  ].join('\n');
}

/** `1.23 [1.10-1.35]`; one sample has no spread. */
export function formatRatio(ratio: Spread | undefined): string {
  if (!ratio) return '';
  const { median, q1, q3, samples } = ratio;
  return samples === 1 ? digits(median) : `${digits(median)} [${digits(q1)}-${digits(q3)}]`;
}

function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
